package io.aerostat.vmm.vhost.message;

import io.aerostat.memory.os.Errno;
import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a front-end's messages from a connection, as far as they have arrived.
 *
 * <pre>
 *   poll() ─▶ NOTHING  a part, or nothing: again when the socket is readable
 *          ─▶ MESSAGE  request(), wantsAcknowledgement(), message(), until the next poll
 *          ─▶ END      and for ever
 *          ─▶ ProtocolViolation, and then END for ever
 * </pre>
 *
 * <p>Never reads beyond a message, so that descriptors stay with the message they came with; at
 * which of its bytes they came does not matter. A header that is wrong is refused before its
 * payload is waited for. Holds at most one message and its descriptors: what no {@link #message}
 * took over is closed by the next poll, by the end, or by {@link #close}.
 *
 * <p>One thread's. Does not own the socket.
 */
public final class MessageReader implements AutoCloseable {
    private final Descriptor socket;

    /** Header and payload of one message, as far as they are here. */
    private final ByteBuf frame =
            Unpooled.directBuffer(MessageCodec.MAX_LENGTH, MessageCodec.MAX_LENGTH);

    private final List<Descriptor> descriptors = new ArrayList<>(UnixSockets.MAX_DESCRIPTORS);

    /** Whose payload is awaited, or whose message is there; null before a whole header. */
    private @Nullable Request request;

    private int length = HeaderLayout.LENGTH;
    private @Nullable FrontEndMessage message;
    private boolean isTaken;
    private boolean isEnded;

    /**
     * A reader at the start of a connection.
     *
     * @param socket non-blocking; closed by its owner after the reader
     */
    public MessageReader(Descriptor socket) {
        this.socket = socket;
    }

    /**
     * Reads what there is of one message.
     *
     * @throws ProtocolViolation if it is none that we take, or the connection ends inside it
     * @throws OsException if the socket cannot be read
     */
    public Progress poll() throws ProtocolViolation {
        if (isEnded) {
            return Progress.END;
        }
        if (message != null) {
            forget();
        }
        try {
            return read();
        } catch (ProtocolViolation | RuntimeException | Error e) {
            end();
            throw e;
        }
    }

    private Progress read() throws ProtocolViolation {
        while (frame.writerIndex() < length) {
            switch (receive()) {
                case UnixSockets.WOULD_BLOCK -> {
                    return Progress.NOTHING;
                }
                case UnixSockets.END -> {
                    endBetweenMessages();
                    return Progress.END;
                }
                default -> {
                    if (request == null && frame.writerIndex() == HeaderLayout.LENGTH) {
                        request = MessageCodec.request(frame);
                        length += (int) MessageCodec.payloadSize(frame);
                    }
                }
            }
        }
        message = decode();
        return Progress.MESSAGE;
    }

    private int receive() throws ProtocolViolation {
        int start = frame.writerIndex();
        ByteBuffer into = frame.internalNioBuffer(start, length - start);
        int bytes;
        try {
            bytes = UnixSockets.receive(socket, into, descriptors::add);
        } catch (OsException e) {
            if (e.errno() == Errno.EMSGSIZE) {
                throw new ProtocolViolation(
                        "descriptors of a message were lost: " + e.getMessage(), e);
            }
            throw e;
        }
        if (bytes > 0) {
            frame.writerIndex(start + bytes);
        }
        if (descriptors.size() > MessageCodec.MAX_DESCRIPTORS) {
            // Now: the message may be long in coming, with more of them at every byte.
            throw new ProtocolViolation(
                    "message has surplus descriptors: request="
                            + (request == null ? "unknown yet" : request)
                            + ", descriptors="
                            + descriptors.size()
                            + ", most="
                            + MessageCodec.MAX_DESCRIPTORS);
        }
        return bytes;
    }

    private FrontEndMessage decode() throws ProtocolViolation {
        ByteBuf payload = frame.slice(HeaderLayout.LENGTH, length - HeaderLayout.LENGTH);
        return MessageCodec.message(request(), payload, descriptors);
    }

    private void endBetweenMessages() throws ProtocolViolation {
        if (frame.writerIndex() > 0) {
            throw new ProtocolViolation(
                    "connection ended inside a message: request="
                            + (request == null ? "unknown yet" : request)
                            + ", bytes="
                            + frame.writerIndex()
                            + ", expected="
                            + length);
        }
        end();
    }

    /**
     * The message that the last poll found. From the first call on its descriptors are the
     * caller's.
     *
     * @throws IllegalStateException if the last poll found none
     */
    public FrontEndMessage message() {
        if (message == null) {
            throw new IllegalStateException("the last poll found no message");
        }
        isTaken = true;
        return message;
    }

    /**
     * The request that it is.
     *
     * @throws IllegalStateException if the last poll found no message
     */
    public Request request() {
        if (request == null) {
            throw new IllegalStateException("the last poll found no message");
        }
        return request;
    }

    /**
     * Tells whether the message is to be acknowledged: the front-end asks for it, and the request
     * has no reply of its own. Counts only if REPLY_ACK is negotiated, which is not known here. The
     * answer is a number, see {@link MessageWriter#reply}: 0 for success.
     *
     * @throws IllegalStateException if the last poll found no message
     */
    public boolean wantsAcknowledgement() {
        return !request().hasReply() && MessageCodec.needsReply(frame);
    }

    /** Ready for the next message. */
    private void forget() {
        if (!isTaken) {
            descriptors.forEach(Descriptor::close);
        }
        descriptors.clear();
        message = null;
        isTaken = false;
        request = null;
        frame.clear();
        length = HeaderLayout.LENGTH;
    }

    private void end() {
        if (!isEnded) {
            isEnded = true;
            forget();
            frame.release();
        }
    }

    /** Closes what descriptors it holds. The socket stays open. A second close does nothing. */
    @Override
    public void close() {
        end();
    }
}
