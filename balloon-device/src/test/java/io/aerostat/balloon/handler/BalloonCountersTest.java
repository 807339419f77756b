package io.aerostat.balloon.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
        for (BalloonCounter counter : BalloonCounter.values()) {
            counters.add(counter, 1L << counter.ordinal());
        }

        assertEquals(
                (1L << BalloonCounter.PAGES_OUTSIDE_RAM.ordinal())
                        + (1L << BalloonCounter.PAGES_OF_LIVE_RING.ordinal())
                        + (1L << BalloonCounter.PAGES_INFLATED_TWICE.ordinal())
                        + (1L << BalloonCounter.PAGES_DEFLATED_UNASKED.ordinal())
                        + (1L << BalloonCounter.PARTIAL_PAGE_NUMBERS.ordinal())
                        + (1L << BalloonCounter.FALSE_ACTUAL.ordinal()),
                counters.anomalies());
    }
}
