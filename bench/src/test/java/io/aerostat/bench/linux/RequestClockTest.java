package io.aerostat.bench.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** The clock is stepped by hand. */
final class RequestClockTest {
    private static final int INFLATE = RoundKind.INFLATE_DIRTY.ring();
    private static final int DEFLATE = RoundKind.DEFLATE.ring();

    private final RequestTimes times = RequestTimes.none();
    private final RequestClock clock = new RequestClock(() -> this.nowNs);
    private long nowNs = 1_000_000;

    private void kick(int ring, long afterNs) {
        nowNs += afterNs;
        clock.kicked(ring);
    }

    private void interrupt(int ring, long afterNs) {
        nowNs += afterNs;
        clock.interrupted(ring);
    }

    @Test
    void tellsTheDevicesTimeFromTheGuests() {
        clock.start(INFLATE, times);
        kick(INFLATE, 500);
        interrupt(INFLATE, 10);
        kick(INFLATE, 100);
        interrupt(INFLATE, 20);
        kick(INFLATE, 200);
        interrupt(INFLATE, 30);
        nowNs += 9999;

        assertEquals(new DeviceTime(360, 60, 77), clock.stop(77));
        assertEquals(3, times.device().count());
        assertEquals(20, times.device().ns(50));
        assertEquals(30, times.device().ns(100));
        assertEquals(2, times.guest().count());
        assertEquals(100, times.guest().ns(0));
        assertEquals(200, times.guest().ns(100));
    }

    @Test
    void seesNoOtherRing() {
        clock.start(DEFLATE, times);
        kick(INFLATE, 1);
        kick(DEFLATE, 1);
        interrupt(INFLATE, 5);
        interrupt(DEFLATE, 5);

        assertEquals(new DeviceTime(10, 10, 0), clock.stop(0));
        assertEquals(1, times.device().count());
        assertEquals(10, times.device().ns(100));
    }

    @Test
    void aRequestLastsFromItsFirstKickToItsFirstInterrupt() {
        clock.start(INFLATE, times);
        interrupt(INFLATE, 1);
        kick(INFLATE, 1);
        kick(INFLATE, 40);
        interrupt(INFLATE, 2);
        interrupt(INFLATE, 60);

        assertEquals(new DeviceTime(42, 42, 0), clock.stop(0));
        assertEquals(1, times.device().count());
    }

    @Test
    void betweenTwoRoundsNobodyHasTheTurn() {
        clock.start(INFLATE, times);
        kick(INFLATE, 1);
        interrupt(INFLATE, 10);
        clock.stop(0);
        kick(INFLATE, 1_000_000);
        interrupt(INFLATE, 1_000_000);

        clock.start(INFLATE, times);
        kick(INFLATE, 1_000_000);
        interrupt(INFLATE, 30);

        assertEquals(new DeviceTime(30, 30, 0), clock.stop(0));
        assertEquals(2, times.device().count());
        assertEquals(0, times.guest().count());
    }

    @Test
    void aRoundWithoutRequestsTakesTheDeviceNoTime() {
        clock.start(INFLATE, times);

        assertEquals(new DeviceTime(0, 0, 5), clock.stop(5));
    }
}
