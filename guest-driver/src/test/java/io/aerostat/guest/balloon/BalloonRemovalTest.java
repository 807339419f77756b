package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.List;

/** The driver on its way down: all pages come back, through the deflate queue. */
final class BalloonRemovalTest {

    @Test
    @DisplayName("BALLOON-DRV-09: removal announces every page on the deflate queue")
    void givesAllPagesBackThroughTheDeflateQueue() {
        BalloonRig rig = new BalloonRig().inflatedTo(700);

        rig.driver.remove();
        rig.step();
        rig.device.confirmAll();
        State before = rig.driver.state();
        int named = rig.device.pfns(DEFLATE).length;
        rig.step();

        assertEquals(State.REMOVING, before);
        assertEquals(700, named);
        assertEquals(State.DOWN, rig.driver.state());
    }

    @Test
    void leavesNothingAllocated() {
        BalloonRig rig = new BalloonRig();
        rig.inflatedTo(700);

        rig.driver.remove();
        rig.settle();

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
        assertEquals(0, rig.driver.pinnedPages());
        assertEquals(0, rig.driver.inPossession());
    }

    @Test
    void writesAnActualOf0BeforeTheReset() {
        BalloonRig rig = new BalloonRig().inflatedTo(700);
        rig.bus.clear();

        rig.driver.remove();
        rig.settle();

        long actual = MmioRegister.CONFIG_OFFSET + BalloonConfigLayout.ACTUAL_OFFSET;
        List<RegisterLog.Access> log = rig.bus.accesses();
        int zero = log.indexOf(new RegisterLog.Access(true, actual, 0));
        int reset = rig.bus.indexOfStore(MmioRegister.STATUS, 0);
        assertEquals(List.of(true, true), List.of(zero >= 0, zero < reset));
    }

    @Test
    @DisplayName("INIT-DRV-16: the device is reset before its memory is freed")
    void resetsTheDevice() {
        BalloonRig rig = new BalloonRig().inflatedTo(10);
        int resets = rig.device.resets;

        rig.driver.remove();
        rig.settle();

        // GuardedPages fails the test if rings or requests were freed before.
        assertEquals(resets + 1, rig.device.resets);
        assertFalse(rig.device.live);
    }

    @Test
    @DisplayName("BALLOON-DRV-13: waits for inflate requests in flight, then deflates their pages")
    void waitsForInflatesInFlight() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(300);
        rig.step();

        rig.driver.remove();
        rig.step();
        rig.step();
        int deflatesBefore = rig.device.log(DEFLATE).size();
        State before = rig.driver.state();
        rig.settle();

        assertEquals(0, deflatesBefore);
        assertEquals(State.REMOVING, before);
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void doesNotInflateWhileItIsRemovedWhateverTheTarget() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);

        rig.driver.remove();
        rig.device.target(900);
        rig.settle();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void goesDownWhenTheDeviceIsLostOnTheWay() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.driver.remove();
        rig.step();

        rig.device.needReset();
        rig.step();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void isDownAtOnceWhenItWasWaitingToRestart() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.needReset();
        rig.step();

        rig.driver.remove();
        rig.waitForRetry();
        rig.step();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void mayBeToldTwice() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);

        rig.driver.remove();
        rig.driver.remove();
        rig.settle();
        rig.driver.remove();

        assertEquals(State.DOWN, rig.driver.state());
    }

    @Test
    void doesNothingOnceItIsDown() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.driver.remove();
        rig.settle();
        rig.bus.clear();

        int work = rig.step();

        assertEquals(0, work);
        assertEquals(List.of(), rig.bus.accesses());
    }

    @Test
    void startsAgainAfterRemoval() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.driver.remove();
        rig.settle();

        assertNull(rig.driver.start());
        rig.poll();
        rig.settle();

        assertEquals(300, rig.device.actual());
    }
}
