package io.aerostat.memory.backend;

import io.aerostat.memory.os.OsException;

import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;

/** Counts a backend's system calls and their failures, and logs the first failure. Any thread. */
final class CallTally {
    private static final System.Logger LOG = System.getLogger(MemoryBackend.class.getName());

    private final AtomicLong discards = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();

    /** A system call for discard is about to be made. */
    void countDiscard() {
        discards.incrementAndGet();
    }

    /** A system call failed. */
    void countFailure(OsException failure) {
        if (failures.getAndIncrement() == 0) {
            LOG.log(
                    Level.WARNING,
                    "guest memory: further failures like this are only counted: "
                            + failure.getMessage());
        }
    }

    /** System calls made for discard. */
    long discards() {
        return discards.get();
    }

    /** System calls that failed. */
    long failures() {
        return failures.get();
    }
}
