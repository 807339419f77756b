package io.aerostat.balloon.handler;

import java.util.concurrent.atomic.AtomicLongArray;

/** The values of the {@link BalloonCounter}s. Written by the device's owner, read by any thread. */
public final class BalloonCounters {
    private static final BalloonCounter[] COUNTERS = BalloonCounter.values();

    private final AtomicLongArray values = new AtomicLongArray(COUNTERS.length);

    /** Counters at 0. */
    public BalloonCounters() {}

    /** The value of a counter. */
    public long get(BalloonCounter counter) {
        return values.get(counter.ordinal());
    }

    /** Adds to a counter. The owner only. */
    public void add(BalloonCounter counter, long amount) {
        if (amount != 0) {
            int index = counter.ordinal();
            values.lazySet(index, values.getPlain(index) + amount);
        }
    }

    /** How many things a guest has got wrong, of all kinds. */
    public long anomalies() {
        long sum = 0;
        for (BalloonCounter counter : COUNTERS) {
            sum += counter.isAnomaly() ? get(counter) : 0;
        }
        return sum;
    }
}
