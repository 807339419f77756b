package io.aerostat.bench.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class LatencyTest {
    private final Latency latency = new Latency();

    @Test
    void takesNanosecondsAndGivesMicroseconds() {
        for (int i = 1; i <= 1000; i++) {
            latency.record(i * 1000L);
        }

        assertEquals(1000, latency.count());
        assertTrue(Math.abs(latency.ns(50) - 500_000) <= 500, "" + latency.ns(50));
        assertEquals(500, latency.us(50), 0.5);
        assertEquals(990, latency.us(99), 1);
        assertEquals(1000, latency.us(100), 1);
    }

    @Test
    void countsWhatIsOutOfRangeAtItsEnds() {
        latency.record(-5);
        latency.record(Long.MAX_VALUE);

        assertEquals(2, latency.count());
        assertEquals(0, latency.ns(50));
        assertTrue(latency.ns(100) >= Latency.LONGEST_NS, "" + latency.ns(100));
    }

    @Test
    void forgets() {
        latency.record(7);

        latency.clear();

        assertEquals(0, latency.count());
        assertEquals(0, latency.ns(100));
    }
}
