package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** A guest with fewer free pages than the host asks for. */
final class BalloonPressureTest {
    private static final int FREE = 150;

    /** A started driver in a guest that has {@link #FREE} pages to give. */
    private static BalloonRig shortOfPages() {
        BalloonRig rig = new BalloonRig().started();
        rig.takeByOthers((int) rig.pages.freePages() - FREE);
        return rig;
    }

    @Test
    void givesWhatThereIsWhenTheTargetIsOutOfReach() {
        BalloonRig rig = shortOfPages();

        rig.device.target(400);
        rig.settle();

        assertEquals(FREE, rig.device.actual());
        assertTrue(rig.driver.isOutOfPages());
    }

    @Test
    void doesNotAskTheAllocatorAgainBeforeTheRetryDelay() {
        BalloonRig rig = shortOfPages();
        rig.device.target(400);
        rig.settle();
        rig.freeByOthers(100);

        rig.nowNs += BalloonRig.RETRY_NS - 1;
        int work = rig.step();

        assertEquals(0, work);
        assertEquals(0, rig.device.waiting().size());
    }

    @Test
    void goesOnAfterTheRetryDelayWithWhatWasFreed() {
        BalloonRig rig = shortOfPages();
        rig.device.target(400);
        rig.settle();
        rig.freeByOthers(100);

        rig.waitForRetry();
        rig.settle();

        assertEquals(FREE + 100, rig.device.actual());
    }

    @Test
    void triesAgainAsOftenAsItTakes() {
        BalloonRig rig = shortOfPages();
        rig.device.target(400);
        rig.settle();

        for (int round = 0; round < 5; round++) {
            rig.waitForRetry();
            rig.settle();
        }
        rig.freeByOthers(300);
        rig.waitForRetry();
        rig.settle();

        assertEquals(400, rig.device.actual());
        assertFalse(rig.driver.isOutOfPages());
    }

    @Test
    void backsOffAnewFromEachFailedAttempt() {
        BalloonRig rig = shortOfPages();
        rig.device.target(400);
        rig.settle();
        rig.waitForRetry();
        rig.settle();
        rig.freeByOthers(100);

        rig.nowNs += BalloonRig.RETRY_NS - 1;
        rig.step();
        int early = rig.device.waiting().size();
        rig.nowNs += 1;
        rig.step();

        assertEquals(0, early);
        assertEquals(100, rig.device.waiting().get(0).pages());
    }

    @Test
    void backsOffAcrossTheWrapOfTheClock() {
        BalloonRig rig = shortOfPages();
        rig.nowNs = Long.MAX_VALUE - BalloonRig.RETRY_NS / 2;
        rig.device.target(400);
        rig.settle();
        rig.freeByOthers(100);

        rig.step();
        int atOnce = rig.device.waiting().size();
        rig.nowNs += BalloonRig.RETRY_NS - 1;
        rig.step();
        int early = rig.device.waiting().size();
        rig.nowNs += 1;
        rig.step();

        assertEquals(0, atOnce);
        assertEquals(0, early);
        assertEquals(1, rig.device.waiting().size());
    }

    @Test
    void askingOnceIsEnoughWhenNoPageIsFree() {
        BalloonRig rig = shortOfPages();
        rig.takeByOthers(FREE);
        rig.device.target(400);

        int first = rig.step();
        int second = rig.step();

        assertEquals(1, first, "the configuration interrupt");
        assertEquals(0, second);
        assertEquals(0, rig.device.log(INFLATE).size());
    }

    @Test
    void wantsNoPageWithoutNeed() {
        BalloonRig rig = shortOfPages();

        rig.device.target(FREE);
        rig.settle();

        assertFalse(rig.driver.isOutOfPages());
        assertEquals(0, rig.pages.freePages());
    }

    @Test
    void takesAllPagesForATargetAboveRamAndGivesThemBack() {
        BalloonRig rig = new BalloonRig().started();
        long free = rig.pages.freePages();

        rig.device.target(BalloonRig.RAM_PAGES + 5L);
        rig.settle();
        long inside = rig.device.actual();
        rig.device.target(0);
        rig.settle();

        assertEquals(free, inside);
        assertEquals(free, rig.pages.freePages());
        assertEquals(0, rig.device.actual());
    }

    @Test
    void deflatesAtOnceWhileItBacksOff() {
        BalloonRig rig = shortOfPages();
        rig.device.target(400);
        rig.settle();

        rig.device.target(50);
        rig.settle();

        assertEquals(50, rig.device.actual());
        assertEquals(100, rig.pages.freePages());
    }

    @Test
    void takesPagesOneByOneWhenNoLargerBlockIsLeft() {
        BalloonRig rig = new BalloonRig().started();
        rig.pressure.refuseAbove(0);
        rig.pressure.refuseAfter(70);

        rig.device.target(400);
        rig.settle();

        assertEquals(70, rig.device.actual());
        assertTrue(rig.driver.isOutOfPages());
    }

    @Test
    void inflatesAtOnceWhenItIsStartedAnewAfterItRanOut() {
        BalloonRig rig = shortOfPages();
        rig.device.target(400);
        rig.settle();
        rig.driver.remove();
        rig.settle();
        rig.freeByOthers(300);

        rig.started();
        rig.settle();

        assertEquals(400, rig.device.actual());
    }
}
