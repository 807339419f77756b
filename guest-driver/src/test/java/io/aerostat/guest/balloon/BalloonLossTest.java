package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.HINT;
import static io.aerostat.guest.balloon.ScriptedBalloon.REPORTING;
import static io.aerostat.guest.balloon.ScriptedBalloon.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.MmioRegister;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.OptionalInt;

/** Devices that go away, with and without a word, and what the driver says of it afterwards. */
@Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class BalloonLossTest {
    /** What a bus reads where no device is. */
    enum Emptiness {
        ALL_ONES(0xFFFF_FFFFL),
        ZERO(0);

        private final long word;

        Emptiness(long word) {
            this.word = word;
        }

        void befall(BalloonRig rig) {
            for (MmioRegister register : MmioRegister.values()) {
                rig.bus.falsify(register, value -> word);
            }
            // Nobody holds the pages any more.
            rig.device.reset();
        }
    }

    /** 200 pages in the balloon, 100 on their way out, blocks hinted and being reported. */
    private static BalloonRig busy() {
        BalloonRig rig =
                new BalloonRig(
                        BalloonRig.OPTIONS
                                .withFeatures(BalloonRig.EVERY_FEATURE)
                                .withFreePages(
                                        new BalloonDriverOptions.FreePages(
                                                OptionalInt.empty(), 9, 6, 0)),
                        ScriptedBalloon.OFFER | BalloonRig.EVERY_FEATURE,
                        16);
        rig.inflatedTo(300);
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.step();
        rig.device.target(200);
        rig.device.hintCommand(2);
        rig.step();
        assertTrue(rig.driver.isolatedPages() > 0 && rig.driver.hintedPages() > 0);
        return rig;
    }

    @ParameterizedTest
    @EnumSource
    void takesEverythingBackFromADeviceThatWasPulled(Emptiness emptiness) {
        BalloonRig rig = busy();
        emptiness.befall(rig);

        rig.nowNs += BalloonRig.WATCH_NS;
        rig.step();

        assertEquals(State.RESTARTING, rig.driver.state());
        assertEquals(DeviceLoss.GONE, rig.driver.lastLoss());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @ParameterizedTest
    @EnumSource
    void saysThatThereIsNoDeviceAndStartsWhenItIsBack(Emptiness emptiness) {
        BalloonRig rig = busy();
        emptiness.befall(rig);
        rig.nowNs += BalloonRig.WATCH_NS;
        rig.step();
        rig.waitForRetry();
        rig.step();
        HandshakeFailure failure = rig.driver.lastFailure();
        rig.bus.tellTheTruth();

        rig.waitForRetry();
        rig.settle();

        assertEquals(HandshakeFailure.NOT_VIRTIO, failure);
        assertNull(rig.driver.lastFailure());
        assertEquals(200, rig.device.actual());
    }

    @ParameterizedTest
    @EnumSource
    void isRemovedThoughTheDeviceIsGone(Emptiness emptiness) {
        BalloonRig rig = busy();
        emptiness.befall(rig);

        rig.driver.forceRemove();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void takesThePagesOfEveryRequestBackThoughAllAreOut() {
        BalloonRig rig = new BalloonRig();
        rig.driver.start();
        rig.device.target(1200);
        rig.step();
        long out = rig.driver.inPossession();

        rig.driver.forceRemove();

        assertEquals(4 * 256, out);
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void usesNoPageAgainThatADeviceMayStillKnow() {
        BalloonRig rig = busy();
        long freeBefore = rig.pages.freePages();
        rig.bus.falsify(MmioRegister.STATUS, value -> 1);

        rig.driver.forceRemove();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(freeBefore, rig.pages.freePages());
        assertEquals(BalloonRig.RAM_PAGES - freeBefore, rig.driver.abandonedPages());
    }

    @Test
    void noticesAnEmptySlotAndLeavesItAlone() {
        BalloonRig rig = busy();
        Emptiness.ZERO.befall(rig);
        rig.bus.falsify(MmioRegister.MAGIC_VALUE, value -> MmioRegister.MAGIC);
        rig.bus.falsify(MmioRegister.VERSION, value -> MmioRegister.MODERN_VERSION);
        rig.bus.clear();

        rig.nowNs += BalloonRig.WATCH_NS;
        rig.step();
        rig.waitForRetry();
        rig.step();

        assertEquals(HandshakeFailure.NO_DEVICE, rig.driver.lastFailure());
        assertEquals(-1, rig.bus.indexOfStore(MmioRegister.STATUS, 0));
    }

    @Test
    void noticesADeviceThatWasResetBehindItsBack() {
        BalloonRig rig = busy();
        rig.mmio.store(MmioRegister.STATUS.offset(), 4, 0);

        rig.nowNs += BalloonRig.WATCH_NS;
        rig.step();

        assertEquals(DeviceLoss.GONE, rig.driver.lastLoss());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void looksForTheDeviceNoMoreOftenThanItIsTold() {
        BalloonRig rig = busy();
        rig.settle();
        rig.bus.clear();

        for (int step = 0; step < 10; step++) {
            rig.step();
        }
        rig.nowNs += BalloonRig.WATCH_NS;
        rig.step();
        rig.step();

        long reads =
                rig.bus.accesses().stream()
                        .filter(access -> access.offset() == MmioRegister.STATUS.offset())
                        .count();
        assertEquals(1, reads);
    }

    @Test
    void saysWhyTheDeviceWasLost() {
        BalloonRig rig = busy();
        DeviceLoss before = rig.driver.lastLoss();

        rig.device.needReset();
        rig.step();

        assertNull(before);
        assertEquals(DeviceLoss.NEEDS_RESET, rig.driver.lastLoss());
        assertNull(rig.driver.lastFault());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, STATS, HINT, REPORTING})
    void saysHowARingWasBrokenOnEveryQueue(int queue) {
        BalloonRig rig = busy();

        rig.device.ring(queue).giveBack(0x8000_0000, 0);
        rig.step();

        assertEquals(State.RESTARTING, rig.driver.state());
        assertEquals(DeviceLoss.RING_BROKEN, rig.driver.lastLoss());
        // An idle ring can have nothing back at all.
        QueueFault expected =
                queue == 0 ? QueueFault.USED_INDEX_JUMP : QueueFault.USED_ID_NOT_IN_FLIGHT;
        assertEquals(expected, rig.driver.lastFault());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void saysWhyARestartFailed() {
        BalloonRig rig = busy();
        rig.device.needReset();
        rig.step();
        rig.device.refusesFeatures = true;

        rig.waitForRetry();
        rig.step();

        assertEquals(HandshakeFailure.FEATURES_REFUSED, rig.driver.lastFailure());
    }

    @Test
    void isForcedDownWhenTheDeviceNeverConfirms() {
        BalloonRig rig = busy();
        rig.driver.remove();
        rig.step();
        rig.nowNs += BalloonRig.REMOVAL_NS - 1;
        rig.step();
        State before = rig.driver.state();

        rig.nowNs += 1;
        rig.step();

        assertEquals(State.REMOVING, before);
        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void isForcedDownAtOnceIfAsked() {
        BalloonRig rig = busy();
        int resets = rig.device.resets;

        rig.driver.forceRemove();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(resets + 1, rig.device.resets);
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
        assertEquals(0, rig.driver.pinnedPages());
    }

    @Test
    void mayBeForcedDownInAnyState() {
        BalloonRig rig = busy();
        rig.device.needReset();
        rig.step();

        rig.driver.forceRemove();
        rig.driver.forceRemove();
        rig.waitForRetry();
        rig.step();

        assertEquals(State.DOWN, rig.driver.state());
    }
}
