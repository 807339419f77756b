package io.aerostat.guest.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class JiffiesTest {
    private static final long SECOND = 1_000_000_000L;

    @Test
    void startsFiveMinutesBeforeTheWrap() {
        Jiffies jiffies = new Jiffies(17);

        assertEquals(-75_000, jiffies.count());
        assertEquals(4_294_892_296L, jiffies.count64());
        assertEquals(0, jiffies.uptimeNs());
    }

    @Test
    void wrapsTheShortCountAfterFiveMinutesAndNotTheLongOne() {
        Jiffies jiffies = new Jiffies(0);

        jiffies.advanceTo(300 * SECOND - 1);
        assertEquals(-1, jiffies.count());
        jiffies.advanceTo(300 * SECOND);
        assertEquals(0, jiffies.count());
        assertEquals(4_294_967_296L, jiffies.count64());
    }

    @Test
    void losesNoPartOfAJiffyHoweverSmallTheSteps() {
        Jiffies jiffies = new Jiffies(0);

        for (long now = 0; now <= SECOND; now += 999_999) {
            jiffies.advanceTo(now);
        }
        jiffies.advanceTo(SECOND);

        assertEquals(Jiffies.INITIAL + 250, jiffies.count());
    }

    @Test
    void refusesAClockThatGoesBack() {
        Jiffies jiffies = new Jiffies(100);
        jiffies.advanceTo(200);

        assertThrows(IllegalArgumentException.class, () -> jiffies.advanceTo(199));
        assertEquals(200, jiffies.nowNs());
    }

    @Test
    void followsAClockThatItselfWraps() {
        long startNs = Long.MAX_VALUE - 1;
        Jiffies jiffies = new Jiffies(startNs);

        jiffies.advanceTo(startNs + Jiffies.NS_PER_JIFFY);

        assertEquals(Jiffies.INITIAL + 1, jiffies.count());
    }

    @Test
    void comparesCountsAcrossTheWrap() {
        assertTrue(Jiffies.after(5, -5));
        assertTrue(Jiffies.before(-5, 5));
        assertTrue(Jiffies.after(Integer.MIN_VALUE, Integer.MAX_VALUE));
        assertTrue(Jiffies.before(Integer.MAX_VALUE, Integer.MIN_VALUE));
        assertFalse(Jiffies.after(7, 7));
        assertFalse(Jiffies.before(7, 7));
    }

    @Test
    void roundsLengthsDownAndTimeoutsUp() {
        assertEquals(0, Jiffies.ofNs(3_999_999));
        assertEquals(1, Jiffies.ofNs(4_000_000));
        assertEquals(0, Jiffies.timeoutOfNs(0));
        assertEquals(1, Jiffies.timeoutOfNs(1));
        assertEquals(1, Jiffies.timeoutOfNs(4_000_000));
        assertEquals(2, Jiffies.timeoutOfNs(4_000_001));
        assertEquals(SECOND, Jiffies.toNs(250));
        assertThrows(IllegalArgumentException.class, () -> Jiffies.ofNs(-1));
        assertThrows(ArithmeticException.class, () -> Jiffies.toNs(Long.MAX_VALUE));
    }
}
