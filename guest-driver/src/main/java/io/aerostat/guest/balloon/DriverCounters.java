package io.aerostat.guest.balloon;

/** The values of the {@link DriverCounter}s. The driver's thread only. */
public final class DriverCounters {
    private final long[] values = new long[DriverCounter.values().length];

    /** Counters at 0. */
    DriverCounters() {}

    /** The value of a counter. */
    public long get(DriverCounter counter) {
        return values[counter.ordinal()];
    }

    void add(DriverCounter counter, long amount) {
        values[counter.ordinal()] += amount;
    }
}
