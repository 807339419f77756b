package io.aerostat.virtio.testkit;

import java.util.function.BooleanSupplier;

/** Waits for another thread: quick if it runs, and out of its way if it has no processor. */
public final class Spin {
    private static final int TURNS_BEFORE_YIELD = 200;

    private Spin() {}

    /** Returns when {@code condition} holds. A test that may hang has a time limit of its own. */
    @SuppressWarnings("ThreadPriorityCheck") // Yield: the other thread may need this processor.
    public static void until(BooleanSupplier condition) {
        for (int turn = 0; !condition.getAsBoolean(); turn++) {
            if (turn % TURNS_BEFORE_YIELD == TURNS_BEFORE_YIELD - 1) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }
}
