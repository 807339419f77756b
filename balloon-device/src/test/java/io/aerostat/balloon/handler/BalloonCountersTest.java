package io.aerostat.balloon.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.EnumSet;
import java.util.Set;

/** Counters add up, each by itself. */
final class BalloonCountersTest {
    private final BalloonCounters counters = new BalloonCounters();

    @ParameterizedTest
    @EnumSource(BalloonCounter.class)
    void eachCounterCountsByItself(BalloonCounter counter) {
        counters.add(counter, 5);
        counters.add(counter, 0);
        counters.add(counter, 1L << 40);

        for (BalloonCounter other : BalloonCounter.values()) {
            long expected = other == counter ? (1L << 40) + 5 : 0;
            assertEquals(expected, counters.get(other), other.toString());
        }
    }

    @Test
    void anomaliesAreTheSumOfWhatAGuestGetsWrong() {
        Set<BalloonCounter> anomalies =
                EnumSet.range(
                        BalloonCounter.USES_OF_BALLOONED_PAGES, BalloonCounter.POISON_CHANGES);
        long expected = 0;
        for (BalloonCounter counter : BalloonCounter.values()) {
            counters.add(counter, 1L << counter.ordinal());
            expected += anomalies.contains(counter) ? 1L << counter.ordinal() : 0;
        }

        assertEquals(14, anomalies.size());
        assertEquals(expected, counters.anomalies());
    }
}
