package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;
import java.util.stream.LongStream;

/** The target that a guest is shown, by a clock that is stepped. */
final class TargetPaceTest {
    private static final long MILLI = 1_000_000L;
    private static final long SECOND = 1000 * MILLI;
    private static final long HOLD = 10 * SECOND;

    /** The owner's clock may start anywhere. */
    private long nowNs = Long.MAX_VALUE - 3 * SECOND;

    static LongStream seeds() {
        return Seeds.first(50);
    }

    private TargetPace pace(long pagesPerSecond) {
        TargetPace pace = new TargetPace(pagesPerSecond, HOLD);
        pace.elapsed(nowNs, 0, true);
        return pace;
    }

    /** Time passes, and the device looks what to show, as it does in each pass. */
    private long pass(TargetPace pace, long ns, long ballooned) {
        nowNs += ns;
        long takenBack = pace.elapsed(nowNs, ballooned, true);
        pace.shown();
        return takenBack;
    }

    /** Wants so much and lets the time go by in which an old target may still have its effect. */
    private TargetPace resting(long pagesPerSecond, long pages) {
        TargetPace pace = pace(pagesPerSecond);
        pace.want(pages, pages);
        pass(pace, 0, pages);
        pass(pace, 2 * SECOND, pages);
        assertEquals(pages, pace.shown());
        return pace;
    }

    @Test
    void withoutARateTheTargetIsShownAtOnce() {
        TargetPace pace = pace(0);

        pace.want(1_000_000, 0);

        assertEquals(1_000_000, pace.shown());
        assertEquals(1_000_000, pace.wanted());
    }

    @Test
    void risesNoFasterThanTheRateAndArrives() {
        TargetPace pace = pace(1000);
        pace.want(5000, 0);
        assertEquals(0, pace.shown());
        pass(pace, 0, 0);

        for (int step = 1; step <= 500; step++) {
            pass(pace, 10 * MILLI, 0);
            assertEquals(10L * step, pace.shown());
        }
        pass(pace, 100 * SECOND, 0);
        assertEquals(5000, pace.shown());
    }

    @Test
    void theRateHoldsHoweverLongTheOwnerSleptBefore() {
        TargetPace pace = pace(1000);
        nowNs += 3600 * SECOND;

        pace.want(5_000_000, 0);
        pass(pace, 0, 0);

        assertEquals(0, pace.shown());
        pass(pace, SECOND, 0);
        assertEquals(1000, pace.shown());
    }

    @Test
    void theRateHoldsForANewDriverAfterALongTime() {
        TargetPace pace = pace(1000);
        pace.want(5_000_000, 0);
        pass(pace, 0, 0);
        nowNs += 3600 * SECOND;

        pace.restart();
        pass(pace, 0, 0);

        assertEquals(0, pace.shown());
        pass(pace, SECOND, 0);
        assertEquals(1000, pace.shown());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 1_000_000_000_000L, Long.MAX_VALUE})
    void noRateRunsAway(long pagesPerSecond) {
        TargetPace pace = pace(pagesPerSecond);
        pace.want(1L << 32, 10);
        pass(pace, 0, 10);
        for (int step = 0; step < 100; step++) {
            pass(pace, 10 * SECOND, 10);
            long shown = pace.shown();
            assertTrue(shown >= 10 && shown <= 1L << 32, "shown=" + shown);
        }
    }

    @Test
    void isShownAnewAtMostEachTenMilliseconds() {
        TargetPace pace = pace(1_000_000);
        pace.want(1_000_000, 0);
        pass(pace, 0, 0);
        int changes = 0;
        long last = pace.shown();
        for (int i = 0; i < 1000; i++) {
            pass(pace, 100_000, 0);
            changes += pace.shown() == last ? 0 : 1;
            last = pace.shown();
        }

        assertEquals(10, changes);
        assertEquals(100_000, last);
    }

    @Test
    void givesBackAtOnce() {
        TargetPace pace = resting(10, 5000);

        pace.want(100, 5000);

        assertEquals(100, pace.shown());
    }

    @Test
    void whatIsInTheBalloonNeedNotBeShownSlowly() {
        TargetPace pace = resting(1000, 5000);
        pace.want(0, 5000);
        pass(pace, 10 * MILLI, 4000);

        pace.want(6000, 4000);

        assertEquals(4000, pace.shown());
        pass(pace, 0, 4000);
        pass(pace, SECOND, 4000);
        assertEquals(5000, pace.shown());
    }

    @Test
    void aNewTargetOnTheWayUpGoesOnWhereItIs() {
        TargetPace pace = pace(1000);
        pace.want(5000, 0);
        pass(pace, 0, 0);
        pass(pace, SECOND, 0);

        pace.want(8000, 0);
        pass(pace, 0, 0);

        assertEquals(1000, pace.shown());
        pass(pace, SECOND, 0);
        assertEquals(2000, pace.shown());
        pace.want(1500, 0);
        assertEquals(1500, pace.shown());
    }

    @Test
    void aGuestThatTakesPagesBackIsLeftAlone() {
        TargetPace pace = resting(0, 1000);

        assertEquals(256, pass(pace, SECOND, 744));

        assertEquals(744, pace.shown());
        pass(pace, HOLD - 1, 744);
        assertEquals(744, pace.shown());
        pass(pace, 1, 744);
        assertEquals(1000, pace.shown());
        assertEquals(1000, pace.wanted());
    }

    @Test
    void afterTheHoldItRisesByTheRate() {
        TargetPace pace = resting(100, 1000);
        pass(pace, SECOND, 600);

        pass(pace, HOLD, 600);
        assertEquals(600, pace.shown());
        pass(pace, SECOND, 600);

        assertEquals(700, pace.shown());
    }

    @Test
    void takingMoreBackProlongsTheHold() {
        TargetPace pace = resting(0, 1000);
        pass(pace, SECOND, 800);
        assertEquals(200, pass(pace, HOLD - 1, 600));

        pass(pace, HOLD - 1, 600);
        assertEquals(600, pace.shown());
        pass(pace, 1, 600);
        assertEquals(1000, pace.shown());
    }

    @Test
    void aGuestThatIsNeverSatisfiedIsNotFought() {
        TargetPace pace = resting(0, 1000);
        int asks = 0;
        long ballooned = 1000;
        for (int i = 0; i < 600; i++) {
            // It takes 100 back whenever it has more than 500, and gives what it is asked for.
            ballooned = ballooned > 500 ? ballooned - 100 : pace.shown();
            long before = pace.shown();
            pass(pace, 100 * MILLI, ballooned);
            asks += pace.shown() > before ? 1 : 0;
        }

        assertTrue(asks <= 6, "asked again " + asks + " times in a minute");
    }

    @Test
    void aNewTargetEndsTheHold() {
        TargetPace pace = resting(0, 1000);
        pass(pace, SECOND, 500);

        pace.want(900, 500);

        assertEquals(900, pace.shown());
    }

    @Test
    void withoutLeaveToTakeBackNothingIsHeld() {
        TargetPace pace = resting(0, 1000);

        nowNs += SECOND;
        assertEquals(256, pace.elapsed(nowNs, 744, false), "counted all the same");

        assertEquals(1000, pace.shown());
    }

    @Test
    void withAHoldOfZeroNothingIsHeld() {
        TargetPace pace = new TargetPace(0, 0);
        pace.want(1000, 1000);
        pass(pace, 0, 1000);
        pass(pace, 2 * SECOND, 1000);

        assertEquals(256, pass(pace, SECOND, 744));

        assertEquals(1000, pace.shown());
    }

    @Test
    void pagesOnTheMoveAreNoNeed() {
        TargetPace pace = resting(0, 1000);

        for (int i = 0; i < 50; i++) {
            assertEquals(0, pass(pace, SECOND, i % 2 == 0 ? 1000 - 31 : 1000));
            assertEquals(1000, pace.shown());
        }
        assertEquals(32, pass(pace, SECOND, 1000 - 32));
    }

    @Test
    void needThatShowsInSmallStepsIsNeedAllTheSame() {
        TargetPace pace = resting(0, 1000);
        long taken = 0;
        long ballooned = 1000;
        for (int i = 0; i < 16; i++) {
            ballooned -= 16;
            taken += pass(pace, MILLI, ballooned);
        }

        assertEquals(256, taken + (pace.shown() - ballooned));
        assertTrue(pace.shown() < 1000, "shown=" + pace.shown());
    }

    @Test
    void whatAnOldTargetAskedForIsNoNeedForASecond() {
        TargetPace pace = resting(0, 1000);
        pace.want(0, 1000);
        pass(pace, MILLI, 900);
        pace.want(1000, 900);
        assertEquals(0, pass(pace, MILLI, 600));
        assertEquals(0, pass(pace, SECOND - 2 * MILLI, 500));
        assertEquals(1000, pace.shown());

        assertEquals(100, pass(pace, SECOND, 400));
    }

    @Test
    void aLowerTargetIsObeyedAndNothingIsTakenBack() {
        TargetPace pace = resting(0, 1000);
        pace.want(200, 1000);
        pass(pace, 0, 1000);
        for (long ballooned = 1000; ballooned >= 200; ballooned -= 100) {
            assertEquals(0, pass(pace, SECOND, ballooned));
        }

        assertEquals(200, pace.shown());
    }

    @Test
    void aBalloonAboveItsTargetMayShrinkToIt() {
        TargetPace pace = resting(0, 1000);
        pass(pace, SECOND, 1500);

        assertEquals(0, pass(pace, SECOND, 1000));
    }

    @Test
    void aNewDriverStartsWithAnEmptyBalloonAndThatIsNoNeed() {
        TargetPace pace = resting(100, 1000);

        pace.restart();
        assertEquals(0, pass(pace, 10 * SECOND, 0));
        assertEquals(0, pace.shown());

        pass(pace, SECOND, 0);
        assertEquals(100, pace.shown());
        assertEquals(1000, pace.wanted());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void neverShowsMoreThanIsWantedNorRisesFasterThanItMay(long seed) {
        Random random = new Random(seed);
        long rate = 1L + random.nextInt(5000);
        TargetPace pace = pace(rate);
        long wanted = 0;
        long ballooned = 0;
        for (int step = 0; step < 400; step++) {
            boolean asked = random.nextInt(20) == 0;
            long floor = Math.max(pace.shown(), ballooned);
            if (asked) {
                wanted = random.nextInt(20_000);
                pace.want(wanted, ballooned);
            }
            long ns = random.nextInt(200) * MILLI;
            ballooned = Math.max(0, ballooned + random.nextInt(400) - 200);
            pass(pace, ns, ballooned);
            long most = Math.min(wanted, floor + rate * (ns + 10 * MILLI) / SECOND + 1);
            long shown = pace.shown();
            boolean fits = shown >= 0 && shown <= Math.max(0, most);
            assertTrue(fits, () -> shown + " of " + most + ", " + Seeds.replay(seed));
        }
    }
}
