package io.aerostat.vmm.vhost.message;

import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;

/**
 * The way of our own requests to a front-end, of which there is one: the configuration has changed.
 * Told without asking for an acknowledgement: the front-end may at that moment wait for an answer
 * of ours, and two that wait for each other wait for ever.
 *
 * <p>The socket came from the front-end and may be anything. Whatever is wrong with it, the channel
 * is {@linkplain #isGone gone} then, and the connection goes on without. Never waits.
 *
 * <p>One thread's. Owns the socket.
 */
public final class BackEndChannel implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(BackEndChannel.class.getName());

    /** Of the requests of back-ends, which have numbers of their own. */
    private static final int CONFIG_CHANGE = 2;

    private static final int SINK_BYTES = 512;

    /** A front-end that sends without end does not keep us here; the rest is for next time. */
    private static final int MAX_READS = 16;

    private final Descriptor socket;
    private final ByteBuf request = Unpooled.directBuffer(HeaderLayout.LENGTH, HeaderLayout.LENGTH);
    private final ByteBuf sink = Unpooled.directBuffer(SINK_BYTES, SINK_BYTES);
    private boolean isGone;

    /**
     * A channel.
     *
     * @param socket of the front-end's SET_BACKEND_REQ_FD; closed with the channel
     */
    public BackEndChannel(Descriptor socket) {
        this.socket = socket;
        request.writeIntLE(CONFIG_CHANGE).writeIntLE(HeaderLayout.VERSION).writeIntLE(0);
    }

    /**
     * Tells the front-end that the configuration has changed.
     *
     * @return false if it was not told: it has not read the last ones, or the channel is gone. If
     *     it has not read them, it will find this change with them
     */
    public boolean configChanged() {
        drain();
        if (isGone) {
            return false;
        }
        int sent;
        try {
            sent = UnixSockets.send(socket, request.internalNioBuffer(0, HeaderLayout.LENGTH));
        } catch (OsException e) {
            lose(e);
            return false;
        }
        if (sent != UnixSockets.WOULD_BLOCK && sent < HeaderLayout.LENGTH) {
            // The next would begin inside this one.
            lose("a message was cut short");
        }
        return sent == HeaderLayout.LENGTH;
    }

    /** Reads and drops what the front-end answers all the same; also its descriptors. */
    public void drain() {
        for (int reads = 0; reads < MAX_READS && !isGone; reads++) {
            ByteBuffer into = sink.internalNioBuffer(0, SINK_BYTES);
            try {
                int bytes = UnixSockets.receive(socket, into, Descriptor::close);
                if (bytes == UnixSockets.WOULD_BLOCK) {
                    return;
                }
                isGone = bytes == UnixSockets.END;
            } catch (OsException e) {
                lose(e);
            }
        }
    }

    /** Tells whether nothing can be told any more: the front-end has closed it, or it is broken. */
    public boolean isGone() {
        return isGone;
    }

    private void lose(OsException reason) {
        isGone = true;
        if (!MessageWriter.saysThatThePeerIsGone(reason)) {
            lose(reason.call() + " failed with " + reason.errnoName());
        }
    }

    private void lose(String reason) {
        isGone = true;
        LOGGER.log(Level.WARNING, "the channel for configuration changes is lost: {0}", reason);
    }

    /** Closes the socket. A second close does nothing. */
    @Override
    public void close() {
        isGone = true;
        if (socket.isOpen()) {
            socket.close();
            request.release();
            sink.release();
        }
    }
}
