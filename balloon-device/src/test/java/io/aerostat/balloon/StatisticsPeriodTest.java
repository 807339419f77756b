package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.SECOND_NS;
import static io.aerostat.balloon.BalloonRig.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.stats.GuestStatistics;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** When the device asks by itself: by the clock, and never twice at once. */
@DisplayName("BALLOON-DESC-12: statistics by the clock")
final class StatisticsPeriodTest {
    private final BalloonRig rig = new BalloonRig();

    /** Exposes a buffer with one figure. */
    private void expose(long free) {
        long gpa = rig.write(0, 0, 0);
        rig.ram.putLe16(gpa, 4);
        rig.ram.putLe64(gpa + 2, free);
        rig.offer(STATS, gpa, 10, false);
    }

    /** Exposes a buffer, and the device takes it. */
    private void answer(long free) {
        expose(free);
        rig.kick(STATS);
        rig.settle();
    }

    private BalloonRig startWithFirstBuffer() {
        rig.start(ALL_FEATURES);
        answer(100);
        return rig;
    }

    @Test
    void aPeriodAsksAtOnceAndThenSoLongAfterEachAnswer() {
        startWithFirstBuffer();
        rig.device.statistics().period(2 * SECOND_NS);
        rig.settle();
        assertEquals(1, rig.reap(STATS), "at once");

        rig.pass(5 * SECOND_NS);
        answer(1);
        rig.pass(2 * SECOND_NS - 1);
        assertEquals(0, rig.reap(STATS), "a nanosecond early");
        rig.pass(1);
        assertEquals(1, rig.reap(STATS), "due");
    }

    @Test
    void aGuestThatDoesNotAnswerIsNotAskedTwice() {
        startWithFirstBuffer();
        rig.device.statistics().period(SECOND_NS);
        rig.pass(0);
        assertEquals(1, rig.reap(STATS));

        rig.pass(100 * SECOND_NS);

        answer(1);
        assertEquals(0, rig.reap(STATS), "the answer is young");
    }

    @Test
    void aPeriodBeforeTheFirstBufferCountsFromIt() {
        rig.start(ALL_FEATURES);
        rig.device.statistics().period(SECOND_NS);
        rig.pass(10 * SECOND_NS);

        answer(1);
        assertEquals(0, rig.reap(STATS));

        rig.pass(SECOND_NS);
        assertEquals(1, rig.reap(STATS));
    }

    @Test
    void aPeriodOfZeroAsksNoMore() {
        startWithFirstBuffer();
        rig.device.statistics().period(SECOND_NS);
        rig.settle();
        rig.reap(STATS);
        answer(1);
        rig.device.statistics().period(0);

        rig.pass(100 * SECOND_NS);
        assertEquals(0, rig.reap(STATS));

        rig.device.statistics().request();
        rig.settle();
        assertEquals(1, rig.reap(STATS));
    }

    @Test
    void aShorterPeriodAsksAtOnceAndALongerOneWaitsLonger() {
        startWithFirstBuffer();
        rig.device.statistics().period(100 * SECOND_NS);
        rig.settle();
        rig.reap(STATS);
        answer(1);
        rig.device.statistics().period(SECOND_NS);
        rig.settle();
        assertEquals(1, rig.reap(STATS));
        answer(2);
        rig.pass(SECOND_NS);
        assertEquals(1, rig.reap(STATS));
        rig.device.statistics().period(50 * SECOND_NS);
        answer(3);

        rig.pass(49 * SECOND_NS);
        assertEquals(0, rig.reap(STATS));
        rig.pass(SECOND_NS);
        assertEquals(1, rig.reap(STATS));
    }

    @Test
    void thePeriodIsTheHostsAndOutlivesAReset() {
        startWithFirstBuffer();
        rig.device.statistics().period(SECOND_NS);
        rig.settle();

        rig.start(ALL_FEATURES);
        answer(1);
        rig.pass(SECOND_NS);

        assertEquals(1, rig.reap(STATS));
    }

    @Test
    void theLongestPeriodIsNeverDue() {
        startWithFirstBuffer();
        rig.device.statistics().period(Long.MAX_VALUE);
        rig.settle();
        rig.reap(STATS);
        answer(1);

        rig.pass(1_000_000 * SECOND_NS);

        assertEquals(0, rig.reap(STATS));
    }

    @Test
    void refusesANegativePeriod() {
        MemoryStatistics statistics = rig.start().device.statistics();

        assertThrows(IllegalArgumentException.class, () -> statistics.period(-1));
    }

    @Test
    void figuresHaveTheTimeAtWhichTheyWereRead() {
        rig.start(ALL_FEATURES);
        rig.pass(3 * SECOND_NS);
        long readNs = rig.nowNs;
        answer(1);
        rig.pass(5 * SECOND_NS);

        GuestStatistics figures = rig.device.statistics().latest().orElseThrow();

        assertEquals(readNs, figures.receivedNs());
        assertEquals(5 * SECOND_NS, figures.ageNs(rig.nowNs));
    }
}
