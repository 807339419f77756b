package io.aerostat.vmm.frontend;

import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;
import io.aerostat.vmm.vhost.message.HeaderLayout;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The front-end's end of the channel for a back-end's own requests. */
public final class BackEndRequests implements AutoCloseable {
    private static final int CONFIG_CHANGE = 2;
    private static final int ROOM = 16 * 1024;

    private @Nullable Descriptor socket;
    private final ByteBuffer received = ByteBuffer.allocate(ROOM).order(ByteOrder.LITTLE_ENDIAN);

    /** A new channel; its other end, which the back-end is to be given; then close it. */
    Descriptor open() {
        close();
        Descriptor[] pair = UnixSockets.pair();
        socket = pair[0];
        received.clear();
        return pair[1];
    }

    /** Configuration changes told since the last call. Fails if anything else was. */
    public int takeConfigChanges() {
        int changes = 0;
        while (socket != null
                && UnixSockets.receive(socket, received, Descriptor::close) > UnixSockets.END) {
            received.flip();
            while (received.remaining() >= HeaderLayout.LENGTH) {
                take(socket, received.getInt(), received.getInt(), received.getInt());
                changes++;
            }
            received.compact();
        }
        return changes;
    }

    private static void take(Descriptor socket, int request, int flags, int size) {
        int known = HeaderLayout.VERSION | HeaderLayout.NEED_REPLY_FLAG;
        if (request != CONFIG_CHANGE || (flags | known) != known || size != 0) {
            throw new AssertionError(
                    "no configuration change: request="
                            + request
                            + ", flags="
                            + flags
                            + ", size="
                            + size);
        }
        if ((flags & HeaderLayout.NEED_REPLY_FLAG) != 0) {
            byte[] reply = FrontEnd.message(request, HeaderLayout.REPLY_FLAGS, Payload.number(0));
            UnixSockets.send(socket, ByteBuffer.wrap(reply));
        }
    }

    /** Sends anything to the back-end, which has not asked. */
    public void sendRaw(byte[] bytes, Descriptor... descriptors) {
        if (socket == null) {
            throw new IllegalStateException("there is no channel");
        }
        UnixSockets.send(socket, ByteBuffer.wrap(bytes), descriptors);
    }

    @Override
    public void close() {
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }
}
