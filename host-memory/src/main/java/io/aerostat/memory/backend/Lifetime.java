package io.aerostat.memory.backend;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets calls in until a backend is closed, and lets the one who closes wait for those that are in.
 * A system call can so never meet an address or file descriptor that already belongs to someone
 * else. Any thread; costs two atomic additions a call.
 *
 * <pre>
 *   bit 31      closed
 *   bits 30..0  calls that are in
 * </pre>
 */
final class Lifetime {
    private static final int CLOSED_FLAG = 1 << 31;

    private final AtomicInteger state = new AtomicInteger();
    private final String what;

    /** Open; {@code what} is named in the message of those who come too late. */
    Lifetime(String what) {
        this.what = what;
    }

    /** Goes in; {@link #exit} must follow, unless this throws. */
    void enter() {
        if (state.incrementAndGet() < 0) {
            state.decrementAndGet();
            throw closed();
        }
    }

    /** Leaves. */
    void exit() {
        state.decrementAndGet();
    }

    /** Throws if closed, for calls that reach neither memory nor the operating system. */
    void checkOpen() {
        if (state.get() < 0) {
            throw closed();
        }
    }

    /** Closes, and returns when nobody is in any more; true for the first caller alone. */
    boolean close() {
        int before = state.getAndUpdate(calls -> calls | CLOSED_FLAG);
        if (before < 0) {
            return false;
        }
        while (state.get() != CLOSED_FLAG) {
            Thread.onSpinWait();
        }
        return true;
    }

    private IllegalStateException closed() {
        return new IllegalStateException("memory backend is closed: " + what);
    }
}
