package io.aerostat.bench.linux;

import org.HdrHistogram.Histogram;

import java.util.concurrent.TimeUnit;

/** Times of many events, to three digits. Belongs to one thread at a time; allocates nothing. */
final class Latency {
    /** What takes longer counts as this: a guest that hangs so long ends the benchmark. */
    static final long LONGEST_NS = TimeUnit.MINUTES.toNanos(2);

    private static final int DIGITS = 3;
    private static final double NS_PER_US = 1e3;

    private final Histogram histogram = new Histogram(1, LONGEST_NS, DIGITS);

    void record(long ns) {
        histogram.recordValue(Math.clamp(ns, 0, LONGEST_NS));
    }

    /** How many events. */
    long count() {
        return histogram.getTotalCount();
    }

    /**
     * The time that {@code percent} of the events did not exceed, in nanoseconds; 0 without events.
     *
     * @param percent 0 to 100
     */
    long ns(double percent) {
        return histogram.getValueAtPercentile(percent);
    }

    /** {@link #ns} in microseconds. */
    double us(double percent) {
        return ns(percent) / NS_PER_US;
    }

    void clear() {
        histogram.reset();
    }
}
