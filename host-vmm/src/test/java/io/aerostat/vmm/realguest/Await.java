package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.fail;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** Waits for what other processes do, until a deadline. */
final class Await {
    /** Far more than anything takes here on a machine that is not busy. */
    static final Duration SOON = Duration.ofSeconds(20);

    private static final long PAUSE_NS = 2_000_000;

    private Await() {}

    /** Something to ask again and again. */
    interface Condition {
        boolean holds() throws Exception;
    }

    /** Returns when the condition holds; fails {@link #SOON}. */
    static void until(String what, Condition condition) throws Exception {
        until(what, SOON, condition);
    }

    /** Returns when the condition holds; fails when the deadline has passed. */
    static void until(String what, Duration deadline, Condition condition) throws Exception {
        long endNs = System.nanoTime() + deadline.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - endNs >= 0) {
                fail("not so within " + deadline + ": " + what);
            }
            LockSupport.parkNanos(PAUSE_NS);
        }
    }

    /** Returns when a value has not changed for so long. */
    static void untilStill(String what, Duration time, LongSupplier value) throws Exception {
        long[] last = {value.getAsLong(), System.nanoTime()};
        until(
                what + " stands still",
                () -> {
                    long now = value.getAsLong();
                    if (now != last[0]) {
                        last[0] = now;
                        last[1] = System.nanoTime();
                    }
                    return System.nanoTime() - last[1] >= time.toNanos();
                });
    }
}
