package io.aerostat.vmm.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.aerostat.memory.os.IoVectors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * What one sendmsg(2) or recvmsg(2) takes, made once for each thread and filled again for each
 * call.
 *
 * <pre>
 *   header ─▶ vector ─▶ bytes      passed on from and to the caller's buffer
 *          └▶ control              one message: descriptors
 * </pre>
 *
 * <p>The caller's bytes are copied: they are few, and the kernel is so never given the address of a
 * buffer whose life is not known here.
 */
final class SocketMessage {
    /** Most bytes of a call: several messages of any protocol spoken here. */
    static final int MAX_BYTES = 4096;

    /** Most descriptors that a message can carry: the kernel's SCM_MAX_FD, see unix(7). */
    static final int MAX_SENT_DESCRIPTORS = 253;

    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_CTRUNC_FLAG = 8;

    private static final ThreadLocal<SocketMessage> OF_THREAD =
            ThreadLocal.withInitial(SocketMessage::new);

    private final MemorySegment header;
    private final MemorySegment control;
    private final MemorySegment bytes;
    private final ByteBuffer byteBuffer;
    private final IoVectors vector = new IoVectors(1);

    private SocketMessage() {
        Arena arena = Arena.ofAuto();
        header = arena.allocate(MessageHeaderLayout.LENGTH, Long.BYTES);
        control = arena.allocate(ControlMessageLayout.space(MAX_SENT_DESCRIPTORS), Long.BYTES);
        bytes = arena.allocate(MAX_BYTES, Long.BYTES);
        byteBuffer = bytes.asByteBuffer();
        header.set(JAVA_LONG, MessageHeaderLayout.VECTORS_OFFSET, vector.address());
        header.set(JAVA_LONG, MessageHeaderLayout.VECTOR_COUNT_OFFSET, 1);
    }

    /** This thread's. */
    static SocketMessage ofThread() {
        return OF_THREAD.get();
    }

    /** The structure that a call takes. */
    MemorySegment header() {
        return header;
    }

    /** Makes room for up to {@code length} bytes and {@code count} descriptors. */
    void expect(int length, int count) {
        setVector(Math.min(length, MAX_BYTES));
        setControl(ControlMessageLayout.space(count));
        header.set(JAVA_INT, MessageHeaderLayout.FLAGS_OFFSET, 0);
    }

    /** Takes as many bytes as fit, without advancing {@code from}, and all of the descriptors. */
    void fill(ByteBuffer from, Descriptor[] descriptors) {
        int length = Math.min(from.remaining(), MAX_BYTES);
        byteBuffer.put(0, from, from.position(), length);
        setVector(length);
        int count = descriptors.length;
        if (count == 0) {
            setControl(0);
            return;
        }
        setControl(ControlMessageLayout.space(count));
        control.set(
                JAVA_LONG, ControlMessageLayout.LENGTH_OFFSET, ControlMessageLayout.length(count));
        control.set(JAVA_INT, ControlMessageLayout.LEVEL_OFFSET, SOL_SOCKET);
        control.set(JAVA_INT, ControlMessageLayout.TYPE_OFFSET, SCM_RIGHTS);
        for (int i = 0; i < count; i++) {
            control.set(JAVA_INT, ControlMessageLayout.offsetOf(i), descriptors[i].number());
        }
    }

    /** Appends the first {@code length} bytes received to {@code into}. */
    void copyTo(ByteBuffer into, int length) {
        into.put(into.position(), byteBuffer, 0, length);
        into.position(into.position() + length);
    }

    /** Tells whether there was no room, or no free number, for all that the peer sent. */
    boolean isTruncated() {
        return (header.get(JAVA_INT, MessageHeaderLayout.FLAGS_OFFSET) & MSG_CTRUNC_FLAG) != 0;
    }

    /**
     * Hands the descriptors received over. One call brings one control message at most, since the
     * kernel stops reading behind the bytes that came with descriptors. If the taker throws, the
     * one it was given and all that follow are closed.
     */
    void handOver(Consumer<Descriptor> taker) {
        int count = receivedCount();
        for (int i = 0; i < count; i++) {
            Descriptor descriptor = received(i);
            try {
                taker.accept(descriptor);
            } catch (RuntimeException | Error e) {
                descriptor.close();
                for (int rest = i + 1; rest < count; rest++) {
                    received(rest).close();
                }
                throw e;
            }
        }
    }

    private int receivedCount() {
        long used = header.get(JAVA_LONG, MessageHeaderLayout.CONTROL_LENGTH_OFFSET);
        if (used < ControlMessageLayout.DATA_OFFSET
                || control.get(JAVA_INT, ControlMessageLayout.LEVEL_OFFSET) != SOL_SOCKET
                || control.get(JAVA_INT, ControlMessageLayout.TYPE_OFFSET) != SCM_RIGHTS) {
            return 0;
        }
        return ControlMessageLayout.count(
                control.get(JAVA_LONG, ControlMessageLayout.LENGTH_OFFSET));
    }

    private Descriptor received(int index) {
        return Descriptor.owning(control.get(JAVA_INT, ControlMessageLayout.offsetOf(index)));
    }

    private void setVector(int length) {
        vector.clear();
        vector.add(bytes.address(), length);
    }

    private void setControl(long length) {
        header.set(
                JAVA_LONG, MessageHeaderLayout.CONTROL_OFFSET, length == 0 ? 0 : control.address());
        header.set(JAVA_LONG, MessageHeaderLayout.CONTROL_LENGTH_OFFSET, length);
    }
}
