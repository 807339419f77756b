package io.aerostat.virtio.testkit;

import java.util.stream.LongStream;

/**
 * Seeds of random tests. They are fixed, so that a build tells the same every time; {@code
 * -Daerostat.seed=N} replays one alone, or tries any other.
 */
public final class Seeds {
    /** The system property that names the seed to replay. */
    public static final String PROPERTY = "aerostat.seed";

    private Seeds() {}

    /** The seeds 0 to {@code count} - 1, or the one to replay. */
    public static LongStream first(int count) {
        Long replayed = Long.getLong(PROPERTY);
        return replayed != null ? LongStream.of(replayed) : LongStream.range(0, count);
    }

    /** Text for a failure message: how to see it again. */
    public static String replay(long seed) {
        return "replay with -D" + PROPERTY + "=" + seed;
    }
}
