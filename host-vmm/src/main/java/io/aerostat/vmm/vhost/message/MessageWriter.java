package io.aerostat.vmm.vhost.message;

import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Answers a front-end, each time by one write. Never waits: a front-end takes a reply before it
 * says anything else, so that a socket without room for one means that it does not read.
 *
 * <p>One thread's. Does not own the socket.
 */
public final class MessageWriter implements AutoCloseable {
    private static final int MAX_LENGTH =
            HeaderLayout.LENGTH + ConfigLayout.BYTES_OFFSET + ConfigLayout.MAX_SPACE;

    private final Descriptor socket;
    private final ByteBuf frame = Unpooled.directBuffer(MAX_LENGTH, MAX_LENGTH);

    /**
     * A writer for a connection.
     *
     * @param socket closed by its owner after the writer
     */
    public MessageWriter(Descriptor socket) {
        this.socket = socket;
    }

    /**
     * Answers a request by a number, or acknowledges it.
     *
     * @param request one whose reply is a number, or which has no reply of its own
     * @param number for an acknowledgement 0 for success, anything else for failure
     * @throws ProtocolViolation if the front-end does not read its replies, or is gone
     */
    public void reply(Request request, long number) throws ProtocolViolation {
        if (!request.isAnsweredByNumber()) {
            throw new IllegalArgumentException("the reply is no number: request=" + request);
        }
        begin(request, Long.BYTES);
        frame.writeLongLE(number);
        send(request);
    }

    /**
     * Answers GET_CONFIG.
     *
     * @param request what was asked for
     * @param bytes the configuration space from its offset, as many as were asked for
     * @throws ProtocolViolation if the front-end does not read its replies, or is gone
     */
    public void replyConfig(FrontEndMessage.GetConfig request, byte[] bytes)
            throws ProtocolViolation {
        if (bytes.length != request.size()) {
            throw new IllegalArgumentException(
                    "a reply has the size of its request: bytes="
                            + bytes.length
                            + ", size="
                            + request.size());
        }
        begin(Request.GET_CONFIG, ConfigLayout.BYTES_OFFSET + bytes.length);
        frame.writeIntLE(request.offset()).writeIntLE(request.size()).writeIntLE(request.flags());
        frame.writeBytes(bytes);
        send(Request.GET_CONFIG);
    }

    /**
     * Answers GET_VRING_BASE.
     *
     * @param index which ring
     * @param base the available index that it is to go on at, 0 to 65535
     * @throws ProtocolViolation if the front-end does not read its replies, or is gone
     */
    public void replyVringBase(int index, int base) throws ProtocolViolation {
        begin(Request.GET_VRING_BASE, VringLayout.STATE_LENGTH);
        frame.writeIntLE(index).writeIntLE(base);
        send(Request.GET_VRING_BASE);
    }

    private void begin(Request request, int payloadBytes) {
        frame.clear();
        frame.writeIntLE(request.number());
        frame.writeIntLE(HeaderLayout.REPLY_FLAGS);
        frame.writeIntLE(payloadBytes);
    }

    private void send(Request request) throws ProtocolViolation {
        int length = frame.readableBytes();
        int sent;
        try {
            sent = UnixSockets.send(socket, frame.internalNioBuffer(0, length));
        } catch (OsException e) {
            if (saysThatThePeerIsGone(e)) {
                throw new ProtocolViolation(
                        "connection ended before a reply: request=" + request, e);
            }
            throw e;
        }
        if (sent != length) {
            throw new ProtocolViolation(
                    "front-end does not read its replies: request="
                            + request
                            + ", bytes="
                            + length
                            + ", sent="
                            + Math.max(sent, 0));
        }
    }

    /** Tells a failure to send to a peer that has closed from one of our own. */
    static boolean saysThatThePeerIsGone(OsException failure) {
        String errno = failure.errnoName();
        return errno.equals("EPIPE") || errno.equals("ECONNRESET");
    }

    /** Frees the buffer; nothing can be written any more. A second close does nothing. */
    @Override
    public void close() {
        if (frame.refCnt() > 0) {
            frame.release();
        }
    }
}
