package io.aerostat.vmm.frontend;

import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;
import io.aerostat.vmm.vhost.message.HeaderLayout;
import io.aerostat.vmm.vhost.message.Request;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A front-end's end of a connection. Three levels: any bytes ({@link #sendRaw}), a message and its
 * reply ({@link #send}, {@link #reply}), a request that has to succeed ({@link #tell}, {@link
 * #ask}).
 *
 * <p>Where it waits it does so for at most ten seconds, and lets something else run meanwhile: a
 * back-end that is stepped by hand on the same thread. Descriptors that are sent stay the caller's.
 * One thread's.
 */
public final class FrontEnd implements AutoCloseable {
    /**
     * What came back.
     *
     * @param request a request's number
     * @param flags version and flags
     * @param payload what follows the header
     */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    public record Reply(int request, int flags, byte[] payload) {}

    private static final long DEADLINE_NS = Duration.ofSeconds(10).toNanos();
    private static final long PAUSE_NS = 20_000;

    private final Descriptor socket;
    private final Runnable meanwhile;
    private final Set<Request> acknowledged = EnumSet.noneOf(Request.class);
    private boolean isClosedByPeer;

    private FrontEnd(Descriptor socket, Runnable meanwhile) {
        this.socket = socket;
        this.meanwhile = meanwhile;
    }

    /** Connects to a back-end that has a thread of its own. */
    public static FrontEnd connect(Path path) {
        return connect(path, () -> LockSupport.parkNanos(PAUSE_NS));
    }

    /**
     * Connects to a back-end.
     *
     * @param meanwhile what runs, again and again, while the front-end waits: the back-end's step
     */
    public static FrontEnd connect(Path path, Runnable meanwhile) {
        return over(UnixSockets.connect(path), meanwhile);
    }

    /**
     * A front-end on a socket that is connected.
     *
     * @param socket non-blocking; closed with the front-end
     */
    public static FrontEnd over(Descriptor socket, Runnable meanwhile) {
        return new FrontEnd(socket, meanwhile);
    }

    // any bytes

    /**
     * Sends bytes, descriptors with the first of them.
     *
     * @throws ConnectionLost if the back-end has closed the connection
     */
    public void sendRaw(byte[] bytes, Descriptor... descriptors) {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        Descriptor[] unsent = descriptors;
        long startNs = System.nanoTime();
        while (from.hasRemaining()) {
            if (trySend(from, unsent)) {
                unsent = new Descriptor[0];
            } else {
                await(startNs, "room to send");
            }
        }
    }

    private boolean trySend(ByteBuffer from, Descriptor[] descriptors) {
        try {
            return UnixSockets.send(socket, from, descriptors) != UnixSockets.WOULD_BLOCK;
        } catch (OsException e) {
            if (e.errnoName().equals("EPIPE") || e.errnoName().equals("ECONNRESET")) {
                isClosedByPeer = true;
                throw new ConnectionLost("the back-end has closed before a message");
            }
            throw e;
        }
    }

    private void await(long startNs, String what) {
        if (System.nanoTime() - startNs > DEADLINE_NS) {
            throw new AssertionError("waited too long for " + what);
        }
        meanwhile.run();
    }

    // a message and its reply

    /** The bytes of a message whose size is that of its payload. */
    public static byte[] message(int request, int flags, byte[] payload) {
        return Payload.bytes(HeaderLayout.LENGTH + payload.length)
                .putInt(request)
                .putInt(flags)
                .putInt(payload.length)
                .put(payload)
                .array();
    }

    /** Sends a message; any numbers. */
    public void send(int request, int flags, byte[] payload, Descriptor... descriptors) {
        sendRaw(message(request, flags, payload), descriptors);
    }

    /**
     * Waits for a reply.
     *
     * @throws ConnectionLost if the back-end closes the connection instead
     */
    public Reply reply() {
        ByteBuffer header = receive(HeaderLayout.LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        int size = header.getInt(HeaderLayout.SIZE_OFFSET);
        return new Reply(
                header.getInt(HeaderLayout.REQUEST_OFFSET),
                header.getInt(HeaderLayout.FLAGS_OFFSET),
                size == 0 ? new byte[0] : receive(size).array());
    }

    private ByteBuffer receive(int length) {
        ByteBuffer into = ByteBuffer.allocate(length);
        long startNs = System.nanoTime();
        while (into.hasRemaining()) {
            switch (UnixSockets.receive(socket, into, FrontEnd::refuse)) {
                case UnixSockets.WOULD_BLOCK -> await(startNs, "a reply");
                case UnixSockets.END -> {
                    isClosedByPeer = true;
                    throw new ConnectionLost("the back-end has closed instead of a reply");
                }
                default -> {}
            }
        }
        return into;
    }

    private static void refuse(Descriptor descriptor) {
        throw new AssertionError("the back-end sent " + descriptor);
    }

    /** Waits until the back-end has closed the connection. Fails if it says something instead. */
    public void awaitClosed() {
        long startNs = System.nanoTime();
        while (!isClosed()) {
            await(startNs, "the connection's end");
        }
    }

    /** Tells whether the back-end has closed the connection. Fails if it has said something. */
    public boolean isClosed() {
        if (isClosedByPeer) {
            return true;
        }
        ByteBuffer into = ByteBuffer.allocate(1);
        int result = UnixSockets.receive(socket, into, FrontEnd::refuse);
        if (result > 0) {
            throw new AssertionError("the back-end says what nobody asked for");
        }
        isClosedByPeer = result == UnixSockets.END;
        return isClosedByPeer;
    }

    // a request that has to succeed

    /** Asks for acknowledgements of these requests from now on, and of no others. */
    public void acknowledged(Set<Request> requests) {
        acknowledged.clear();
        acknowledged.addAll(requests);
    }

    /** Tells something; waits for success if the request is among those acknowledged. */
    public void tell(Request request, byte[] payload, Descriptor... descriptors) {
        long answer = tellForAnswer(request, payload, descriptors);
        if (answer != 0) {
            throw new AssertionError("the back-end refuses " + request + ": answer=" + answer);
        }
    }

    /** Tells something; the acknowledgement, or 0 if none is asked for. */
    public long tellForAnswer(Request request, byte[] payload, Descriptor... descriptors) {
        boolean wantsAnswer = acknowledged.contains(request);
        int flags = HeaderLayout.VERSION | (wantsAnswer ? HeaderLayout.NEED_REPLY_FLAG : 0);
        send(request.number(), flags, payload, descriptors);
        return wantsAnswer ? Payload.numberOf(replyTo(request)) : 0;
    }

    /** Asks for something; the reply's payload. */
    public byte[] ask(Request request, byte[] payload) {
        send(request.number(), HeaderLayout.VERSION, payload);
        return replyTo(request);
    }

    /** Asks for a number. */
    public long askNumber(Request request) {
        return Payload.numberOf(ask(request, Payload.none()));
    }

    private byte[] replyTo(Request request) {
        Reply reply = reply();
        if (reply.request() != request.number() || reply.flags() != HeaderLayout.REPLY_FLAGS) {
            throw new AssertionError(
                    "no reply to "
                            + request
                            + ": request="
                            + reply.request()
                            + ", flags="
                            + reply.flags()
                            + ", payload="
                            + Arrays.toString(reply.payload()));
        }
        return reply.payload();
    }

    @Override
    public void close() {
        socket.close();
    }
}
