package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.InterruptStatus;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** Interrupts that are lost, late or for nothing, and the driver's own kicks. */
final class BalloonNotificationTest {
    private static final MmioRegister CAUSES = MmioRegister.INTERRUPT_STATUS;

    @Test
    void findsConfirmationsWhoseInterruptWasLost() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(300);
        rig.step();
        rig.bus.falsify(CAUSES, causes -> 0);

        rig.device.confirmAll();
        rig.step();

        assertEquals(300, rig.device.actual());
    }

    @Test
    @DisplayName("SPLIT-DRV-20: an interrupt with nothing to do changes nothing")
    void toleratesInterruptsForNothing() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.bus.falsify(CAUSES, causes -> InterruptStatus.DEFINED_MASK);
        rig.bus.clear();

        rig.step();
        rig.step();

        assertEquals(300, rig.driver.balloonedPages());
        assertEquals(List.of(), rig.bus.stores(MmioRegister.QUEUE_NOTIFY));
    }

    @Test
    @DisplayName("MMIO-DRV-20, -22: undefined causes are neither handled nor acknowledged")
    void ignoresUndefinedCauses() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.bus.falsify(CAUSES, causes -> 0xFFFF_FFFCL);
        rig.bus.clear();

        int work = rig.step();

        assertEquals(0, work);
        assertEquals(List.of(), rig.bus.stores(MmioRegister.INTERRUPT_ACK));
    }

    @Test
    @DisplayName("MMIO-DRV-32, -34: reads the causes, and acknowledges those it has handled")
    void acknowledgesWhatItHandled() {
        BalloonRig rig = new BalloonRig().started();
        rig.bus.clear();

        rig.device.target(100);
        rig.step();
        rig.device.confirmAll();
        rig.step();

        assertEquals(List.of(2L, 1L), rig.bus.stores(MmioRegister.INTERRUPT_ACK));
    }

    @Test
    @DisplayName("MMIO-DRV-21, -34: acknowledges an event after it has handled it")
    void acknowledgesAfterItHasReadTheTarget() {
        BalloonRig rig = new BalloonRig().started();
        rig.bus.clear();

        rig.device.target(100);
        rig.step();

        List<RegisterLog.Access> log = rig.bus.accesses();
        int read = log.indexOf(new RegisterLog.Access(false, MmioRegister.CONFIG_OFFSET, 100));
        int acknowledged = rig.bus.indexOfStore(MmioRegister.INTERRUPT_ACK, 2);
        assertEquals(List.of(true, true), List.of(read >= 0, read < acknowledged));
    }

    @Test
    @DisplayName("MMIO-DRV-33: one interrupt concerns both queues")
    void drainsBothQueuesForOneInterrupt() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.target(600);
        rig.step();
        rig.device.target(400);
        rig.step();

        rig.device.confirmAll();
        rig.step();

        assertEquals(400, rig.driver.inPossession());
    }

    @Test
    void seesATargetThatChangesWhileItHandlesTheInterrupt() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(100);
        boolean[] changed = {false};
        rig.bus.beforeStore(
                MmioRegister.INTERRUPT_ACK,
                () -> {
                    if (!changed[0]) {
                        changed[0] = true;
                        rig.device.target(200);
                    }
                });

        rig.step();
        rig.settle();

        assertEquals(200, rig.device.actual());
    }

    @Test
    void seesAResetRequestThatComesWhileItHandlesTheInterrupt() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(100);
        boolean[] asked = {false};
        rig.bus.beforeStore(
                MmioRegister.INTERRUPT_ACK,
                () -> {
                    if (!asked[0]) {
                        asked[0] = true;
                        rig.device.needReset();
                    }
                });

        rig.step();

        assertEquals(BalloonDriver.State.RESTARTING, rig.driver.state());
    }

    @ParameterizedTest
    @ValueSource(longs = {Feature.VERSION_1, Feature.VERSION_1 | Feature.EVENT_IDX})
    @DisplayName("SPLIT-DRV-30: one kick for all requests of a step")
    void kicksOnceForAllRequestsOfAStep(long offered) {
        BalloonRig rig =
                new BalloonRig(BalloonRig.OPTIONS, offered, BalloonConfigLayout.LENGTH).started();
        rig.bus.clear();

        rig.device.target(1024);
        rig.step();

        assertEquals(List.of(0L), rig.bus.stores(MmioRegister.QUEUE_NOTIFY));
        assertEquals(4, rig.device.waiting().size());
    }

    @Test
    @DisplayName("SPLIT-DRV-25: no kick while the device says that it needs none")
    void doesNotKickADeviceThatDoesNotWantIt() {
        BalloonRig rig =
                new BalloonRig(BalloonRig.OPTIONS, Feature.VERSION_1, BalloonConfigLayout.LENGTH)
                        .started();
        rig.device.ring(INFLATE).usedFlags(1);
        rig.bus.clear();

        rig.device.target(1024);
        rig.step();

        assertEquals(List.of(), rig.bus.stores(MmioRegister.QUEUE_NOTIFY));
    }

    @ParameterizedTest
    @ValueSource(longs = {Feature.VERSION_1, Feature.VERSION_1 | Feature.EVENT_IDX})
    @DisplayName("SPLIT-DRV-19: the device may interrupt for each confirmation")
    void asksForAnInterruptWhenItHasDrainedAQueue(long offered) {
        BalloonRig rig =
                new BalloonRig(BalloonRig.OPTIONS, offered, BalloonConfigLayout.LENGTH).started();
        rig.device.target(1300);
        rig.step();

        for (int round = 0; round < 6; round++) {
            rig.device.confirm(rig.device.waiting().get(0));
            boolean isRaised = rig.mmio.load(CAUSES.offset(), 4) == 1;
            rig.step();
            assertTrue(isRaised, "confirmation " + round);
        }

        assertEquals(1300, rig.device.actual());
    }

    @Test
    void doesNothingWhenThereIsNothing() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.bus.clear();

        int work = rig.step();

        assertEquals(0, work);
        assertEquals(
                List.of(),
                rig.bus.accesses().stream().filter(RegisterLog.Access::isStore).toList());
    }

    @Test
    void doesNoMoreInAStepThanFillItsRequestsHoweverFastTheDeviceIs() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(BalloonRig.RAM_PAGES);
        rig.bus.beforeStore(
                MmioRegister.QUEUE_NOTIFY,
                () -> {
                    rig.mmio.controller().notifyQueue(INFLATE);
                    rig.poll();
                    rig.device.confirmAll();
                });

        rig.step();
        long first = rig.driver.inPossession();
        rig.step();

        assertEquals(4 * 256, first);
        assertEquals(4 * 256, rig.device.actual());
    }
}
