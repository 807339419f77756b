package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;
import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;

/** The driver follows the host's target: up, down, and while requests are in flight. */
final class BalloonTargetTest {

    @Test
    @DisplayName("BALLOON-DRV-04: gives as many pages as the target exceeds the balloon by")
    void inflatesToTheTarget() {
        BalloonRig rig = new BalloonRig().started();

        rig.device.target(700);
        rig.settle();

        assertEquals(700, rig.device.confirmedPages());
        assertEquals(700, rig.driver.balloonedPages());
    }

    @Test
    @DisplayName("BALLOON-DRV-05, -09: takes pages back through the deflate queue")
    void deflatesToTheTarget() {
        BalloonRig rig = new BalloonRig().inflatedTo(700);
        long free = rig.pages.freePages();

        rig.device.target(100);
        rig.settle();

        assertEquals(100, rig.device.confirmedPages());
        assertEquals(600, rig.device.pfns(DEFLATE).length);
        assertEquals(free + 600, rig.pages.freePages());
    }

    @Test
    @DisplayName("BALLOON-DESC-08: an equal target asks for nothing")
    void doesNothingWhenTheTargetIsReached() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        int inflates = rig.device.log(INFLATE).size();

        rig.device.target(300);
        rig.settle();

        assertEquals(inflates, rig.device.log(INFLATE).size());
        assertEquals(0, rig.device.log(DEFLATE).size());
    }

    @Test
    void followsATargetThatWasSetBeforeItStarted() {
        BalloonRig rig = new BalloonRig();
        rig.device.target(300);

        rig.started();
        rig.settle();

        assertEquals(300, rig.device.confirmedPages());
    }

    @Test
    void readsTheTargetAsAnUnsignedNumber() {
        BalloonRig rig = new BalloonRig().started();

        rig.device.target(0xFFFF_FFFFL);
        rig.settle();

        assertEquals(0xFFFF_FFFFL, rig.driver.targetPages());
        assertEquals(0, rig.pages.freePages());
    }

    @Test
    void asksForTheRestAloneWhenTheTargetRisesWithRequestsInFlight() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(300);
        rig.step();

        rig.device.target(350);
        rig.step();

        assertEquals(350, rig.device.pfns(INFLATE).length);
        assertEquals(350, rig.driver.inPossession());
    }

    @Test
    @DisplayName("BALLOON-DRV-13: what is still on its way in waits for its confirmation")
    void deflatesWhatIsInFirstAndTheRestOnceItIsConfirmed() {
        BalloonRig rig = new BalloonRig().inflatedTo(100);
        rig.device.target(400);
        rig.step();

        rig.device.target(50);
        rig.step();
        int deflatedBefore = rig.device.pfns(DEFLATE).length;
        rig.settle();

        assertEquals(100, deflatedBefore);
        assertEquals(350, rig.device.pfns(DEFLATE).length);
        assertEquals(50, rig.device.confirmedPages());
    }

    @Test
    void countsPagesOnTheirWayOutAsGoneWhenTheTargetRises() {
        BalloonRig rig = new BalloonRig().inflatedTo(400);
        int before = rig.device.pfns(INFLATE).length;
        rig.device.target(100);
        rig.step();

        rig.device.target(200);
        rig.step();

        assertEquals(before + 100, rig.device.pfns(INFLATE).length);
    }

    @Test
    void endsAtTheLastOfManyTargetsWhoeverIsLate() {
        BalloonRig rig = new BalloonRig().started();

        for (long target : new long[] {500, 20, 900, 0, 333}) {
            rig.device.target(target);
            rig.step();
            List<BalloonRequest> waiting = rig.device.waiting();
            rig.device.confirm(waiting.get(waiting.size() - 1));
        }
        rig.settle();

        assertEquals(333, rig.device.confirmedPages());
        assertEquals(333, rig.device.actual());
    }

    @Test
    void deflatesTheLowestPagesFirst() {
        BalloonRig rig = new BalloonRig().inflatedTo(600);
        int[] inside = rig.device.pfns(INFLATE);
        Arrays.sort(inside);

        rig.device.target(200);
        rig.settle();

        assertArrayEquals(Arrays.copyOf(inside, 400), rig.device.pfns(DEFLATE));
    }

    @Test
    void deflatesALowerPageThatCameInLater() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.target(100);
        rig.settle();
        rig.inflatedTo(150);

        rig.device.target(0);
        rig.step();

        int[] out = rig.device.waiting(DEFLATE).get(0).pfns();
        assertEquals(150, out.length);
        assertTrue(isAscending(out), () -> Arrays.toString(out));
    }

    private static boolean isAscending(int[] pfns) {
        for (int i = 1; i < pfns.length; i++) {
            if (pfns[i - 1] >= pfns[i]) {
                return false;
            }
        }
        return true;
    }
}
