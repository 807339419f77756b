package io.aerostat.memory.os;

import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the system calls that somebody makes on guest memory, and their failures, and logs the
 * first failure. Any thread.
 */
public final class CallTally {
    private final System.Logger log;

    private final AtomicLong discards = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();

    /**
     * Nothing is counted yet.
     *
     * @param owner in whose name the first failure is logged
     */
    public CallTally(Class<?> owner) {
        this.log = System.getLogger(owner.getName());
    }

    /** A system call for discard is about to be made. */
    public void countDiscard() {
        discards.incrementAndGet();
    }

    /** A system call failed. */
    public void countFailure(Exception failure) {
        if (failures.getAndIncrement() == 0) {
            log.log(
                    Level.WARNING,
                    "guest memory: further failures like this are only counted: "
                            + failure.getMessage());
        }
    }

    /** System calls made for discard. */
    public long discards() {
        return discards.get();
    }

    /** System calls that failed. */
    public long failures() {
        return failures.get();
    }
}
