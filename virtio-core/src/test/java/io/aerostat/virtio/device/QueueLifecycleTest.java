package io.aerostat.virtio.device;

import static io.aerostat.virtio.testkit.EchoMachine.DRIVER_OK;
import static io.aerostat.virtio.testkit.EchoMachine.FEATURES_OK;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/**
 * When a queue is looked at and when not: set-up, kicks, stop (VIRTIO 1.4, 2.1.2, 3.1.1, 4.2.2).
 */
final class QueueLifecycleTest {
    private static final long FEATURES = Feature.VERSION_1;

    private final EchoMachine machine = new EchoMachine();
    private final DeviceController controller = machine.controller();

    @Test
    void echoesABufferAfterAKick() {
        DriverQueue queue = machine.bringUp(FEATURES);

        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(0);
        machine.pollAll();

        assertEquals(0x1122, machine.answer(0));
        assertEquals(1, machine.usedIdx(0));
        assertTrue(machine.irq.level());
    }

    @Test
    @DisplayName("STATUS-DEV-01: no buffer is taken before DRIVER_OK")
    void takesNoBufferBeforeDriverOk() {
        machine.negotiate(FEATURES);
        DriverQueue queue = machine.driverQueue(0, FEATURES);
        machine.enable(0);

        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(0);
        machine.pollAll();

        assertEquals(0, machine.usedIdx(0));
        assertEquals(0, machine.answer(0));
    }

    @Test
    @DisplayName("STATUS-DEV-02: no used buffer notification before DRIVER_OK")
    void raisesNoInterruptBeforeDriverOk() {
        machine.negotiate(FEATURES);
        DriverQueue queue = machine.driverQueue(0, FEATURES);
        machine.enable(0);

        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(0);
        machine.pollAll();

        assertFalse(machine.irq.claim());
    }

    // Linux queues its first statistics buffer that early.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("INIT-DESC-01: queues are live from DRIVER_OK")
    void takesAtDriverOkWhatWasOfferedBefore(boolean kicked) {
        machine.negotiate(FEATURES);
        DriverQueue queue = machine.driverQueue(0, FEATURES);
        machine.enable(0);
        machine.offer(queue, 0, 0x1122);
        if (kicked) {
            controller.notifyQueue(0);
            machine.pollAll();
        }

        machine.status(DRIVER_OK);
        machine.pollAll();

        assertEquals(0x1122, machine.answer(0));
    }

    @Test
    void ringsTheDoorbellAtDriverOk() {
        machine.negotiate(FEATURES);
        machine.enable(0);
        machine.rings.set(0);

        machine.status(DRIVER_OK);

        assertNotEquals(0, machine.rings.get());
    }

    @Test
    void serviceFollowsForAQueueThatIsEnabledAfterDriverOk() {
        DriverQueue queue = machine.driverQueue(1, FEATURES);
        machine.bringUp(FEATURES);
        machine.pollAll();
        machine.offer(queue, 0, 0x1122);
        machine.rings.set(0);

        machine.enable(1);
        machine.pollAll();

        assertEquals(0x1122, machine.answer(0));
        assertNotEquals(0, machine.rings.get());
    }

    @Test
    @DisplayName("MMIO-DEV-09: a queue that is not ready is not looked at")
    void leavesAQueueAloneThatIsNotEnabled() {
        DriverQueue queue = machine.driverQueue(1, FEATURES);
        machine.bringUp(FEATURES);
        machine.describe(1, machine.place(1));

        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(1);
        machine.pollAll();

        assertEquals(0, machine.usedIdx(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1, 2, 3, 62, 63, 64, 0x1_0000, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void kicksOfQueuesThatAreNotThereDoNothing(int queue) {
        machine.bringUp(FEATURES);
        machine.pollAll();
        List<String> before = machine.echo.told();

        controller.notifyQueue(queue);
        machine.pollAll();

        assertEquals(before, machine.echo.told());
        assertEquals(DRIVER_OK, machine.status());
    }

    @Test
    void aKickRingsTheDoorbell() {
        machine.bringUp(FEATURES);
        machine.rings.set(0);

        controller.notifyQueue(0);

        assertEquals(1, machine.rings.get());
    }

    @Test
    void ignoresASecondEnable() {
        machine.bringUp(FEATURES);

        controller.enableQueue(0, machine.place(1));

        assertEquals(
                List.of("attached", "activate 0x100000000", "enabled 0 size 8"),
                machine.echo.told());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 3, 64, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void hasNoQueueOfAnyOtherIndex(int queue) {
        controller.enableQueue(queue, machine.place(0));
        controller.disableQueue(queue);

        assertEquals(0, controller.queueSizeMax(queue));
        assertFalse(controller.isQueueEnabled(queue));
    }

    @Test
    void hasTheLastQueueOnlyUnderItsFeature() {
        assertEquals(0, controller.queueSizeMax(2));

        controller.acceptFeatures(0, (int) EchoDevice.EXTRA_QUEUE);

        assertEquals(8, controller.queueSizeMax(2));
    }

    @Test
    void doesNotEnableAQueueThatIsMissingUnderTheFeatures() {
        machine.negotiate(FEATURES);

        machine.enable(2);

        assertFalse(controller.isQueueEnabled(2));
    }

    @Test
    void needsResetWhenTheFeatureOfAnEnabledQueueIsTakenBack() {
        controller.acceptFeatures(0, (int) EchoDevice.EXTRA_QUEUE);
        machine.enable(2);
        machine.negotiate(FEATURES);

        try (DeviceLog log = new DeviceLog()) {
            machine.status(DRIVER_OK);
            assertEquals(1, log.lineCount());
        }

        assertEquals(DRIVER_OK | EchoMachine.NEEDS_RESET, machine.status());
    }

    @Test
    void leavesAStoppedQueueAlone() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();

        controller.disableQueue(0);
        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(0);
        machine.pollAll();

        assertEquals(0, machine.usedIdx(0));
        assertEquals("disabled 0", machine.echo.told().get(3));
    }

    @Test
    void leavesABufferAloneThatWasKickedButNotTakenWhenTheQueueStopped() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(0);

        controller.disableQueue(0);
        machine.pollAll();

        assertEquals(0, machine.answer(0));
    }

    @Test
    void startsAStoppedQueueAgainFromItsBeginning() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        machine.pollAll();
        controller.disableQueue(0);

        DriverQueue again = machine.driverQueue(0, FEATURES);
        machine.enable(0);
        machine.offer(again, 0, 0x3344);
        controller.notifyQueue(0);
        machine.pollAll();

        assertEquals(0x3344, machine.answer(0));
        assertEquals(1, machine.usedIdx(0));
    }

    @Test
    void stopsNoQueueThatIsNotEnabled() {
        machine.bringUp(FEATURES);
        List<String> before = machine.echo.told();

        controller.disableQueue(1);

        assertEquals(before, machine.echo.told());
    }

    @Test
    void pollsAgainAsLongAsAPassLeavesWork() {
        EchoMachine slow = new EchoMachine(echo -> echo.servingPerPass(1));
        DriverQueue queue = slow.bringUp(FEATURES);
        for (int i = 0; i < 3; i++) {
            slow.offer(queue, i, 10 + i);
        }

        slow.controller().notifyQueue(0);

        assertNotEquals(0, slow.controller().poll(0));
        assertEquals(1, slow.usedIdx(0));
        assertNotEquals(0, slow.controller().poll(0));
        assertEquals(2, slow.usedIdx(0));
        slow.pollAll();
        assertEquals(3, slow.usedIdx(0));
    }

    @Test
    void hasNothingToDoWithoutAKick() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();

        machine.offer(queue, 0, 1);

        assertEquals(0, controller.poll(0));
        assertEquals(0, machine.usedIdx(0));
    }

    @Test
    void serviceReachesTheSixtyThirdQueueAndTellsItFromAConfigurationWrite() {
        EchoMachine wide = new EchoMachine(echo -> echo.withQueues(63, 2));
        wide.negotiate(FEATURES | EchoDevice.EXTRA_QUEUE);
        DriverQueue queue = new DriverQueue(wide.memory, wide.place(7), FEATURES, null);
        wide.describe(62, wide.place(7));
        wide.controller().enableQueue(62, wide.place(7));
        wide.status(DRIVER_OK);
        wide.pollAll();

        wide.offer(queue, 0, 0x1122);
        wide.controller().notifyQueue(62);
        wide.pollAll();

        assertEquals(0x1122, wide.answer(0));
        assertFalse(wide.echo.told().contains("configWritten"));
    }

    @Test
    void tellsTheDeviceOfConfigurationWritesOnceAPoll() {
        controller.writeConfig(EchoDevice.DRIVER_FIELD, 4, 1);
        controller.writeConfig(EchoDevice.DRIVER_FIELD, 4, 2);
        machine.pollAll();

        assertEquals(List.of("attached", "configWritten"), machine.echo.told());
        assertEquals(2, machine.echo.config().get(EchoDevice.DRIVER_FIELD));
        assertEquals(2, machine.rings.get());
    }

    @Test
    void keepsQuietAboutWritesToFieldsThatAreNotTheDrivers() {
        controller.writeConfig(0, 4, 1);
        machine.pollAll();

        assertEquals(List.of("attached"), machine.echo.told());
        assertEquals(0, machine.rings.get());
    }

    @Test
    @DisplayName("NOTIFY-DESC-06: a configuration change is told to a driver that is ready")
    void tellsOfAConfigurationChangeOnceLive() {
        machine.bringUp(FEATURES);

        controller.configChanged();

        assertTrue(machine.irq.level());
    }

    @Test
    void keepsAConfigurationChangeQuietBeforeDriverOk() {
        machine.negotiate(FEATURES);

        controller.configChanged();

        assertFalse(machine.irq.level());
        assertEquals(FEATURES_OK, machine.status());
    }
}
