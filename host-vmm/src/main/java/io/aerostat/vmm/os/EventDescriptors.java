package io.aerostat.vmm.os;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.aerostat.memory.os.Errno;
import io.aerostat.memory.os.OsException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Descriptors that say "something happened", by eight bytes: eventfd(2), and stream sockets that
 * are used like one. Any thread; allocates nothing after the first calls.
 */
public final class EventDescriptors {
    private static final int EFD_NONBLOCK = 0x800;
    private static final int EFD_CLOEXEC = 0x80000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int O_NONBLOCK = 0x800;

    /** What is written. */
    private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);

    /** Where what is read goes; nobody looks at it, so all threads share it. */
    private static final MemorySegment SINK = Arena.global().allocate(JAVA_LONG);

    private EventDescriptors() {}

    /**
     * Makes an event descriptor, non-blocking and closed on execve, without an event: eventfd(2).
     */
    public static Descriptor create() {
        int result = NativeCalls.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (result < 0) {
            throw new OsException("eventfd", "value=0", -result);
        }
        return Descriptor.owning(result);
    }

    /**
     * Writes the eight-byte value 1. Never raises SIGPIPE for a socket; a descriptor of another
     * kind should be {@link #nonBlocking}, or its owner may make this wait.
     *
     * @return false if it would have had to wait, the peer is gone, or the descriptor cannot be
     *     written to; never an exception for what a peer gave or did
     * @throws IllegalStateException if the descriptor is closed
     */
    public static boolean signal(Descriptor target) {
        int number = target.number();
        if (!target.isKnownAsNoSocket()) {
            long sent = send(number);
            if (sent != -Errno.ENOTSOCK) {
                return sent == Long.BYTES;
            }
            target.knowAsNoSocket();
        }
        return write(number) == Long.BYTES;
    }

    /**
     * Reads up to eight bytes, which for an event descriptor are all events there are.
     *
     * @param source non-blocking
     * @return true if there were any; false also if the peer is gone
     * @throws OsException if it cannot be read
     */
    public static boolean drain(Descriptor source) {
        int number = source.number();
        long result;
        do {
            result = NativeCalls.read(number, SINK, Long.BYTES);
        } while (result == -Errno.EINTR);
        if (result < 0 && result != -Errno.EAGAIN && result != -Errno.ECONNRESET) {
            throw new OsException("read", "source=" + source, (int) -result);
        }
        return result > 0;
    }

    /**
     * Makes calls on a descriptor return at once instead of waiting: fcntl(2), O_NONBLOCK. Counts
     * for all processes that share the open file, any of which can undo it.
     */
    public static void nonBlocking(Descriptor descriptor) {
        int number = descriptor.number();
        int flags = NativeCalls.fcntl(number, F_GETFL, 0);
        int result = flags < 0 ? flags : NativeCalls.fcntl(number, F_SETFL, flags | O_NONBLOCK);
        if (result < 0) {
            throw new OsException("fcntl", "descriptor=" + descriptor, -result);
        }
    }

    private static long send(int number) {
        long result;
        do {
            result = NativeCalls.send(number, ONE, Long.BYTES, MSG_NOSIGNAL | MSG_DONTWAIT);
        } while (result == -Errno.EINTR);
        return result;
    }

    private static long write(int number) {
        long result;
        do {
            result = NativeCalls.write(number, ONE, Long.BYTES);
        } while (result == -Errno.EINTR);
        return result;
    }
}
