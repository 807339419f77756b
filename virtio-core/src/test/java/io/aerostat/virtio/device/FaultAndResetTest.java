package io.aerostat.virtio.device;

import static io.aerostat.virtio.testkit.EchoMachine.DRIVER_OK;
import static io.aerostat.virtio.testkit.EchoMachine.NEEDS_RESET;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.InterruptStatus;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What breaks a device, what it says then, and that a reset heals it (VIRTIO 1.4, 2.1.2, 2.4). */
final class FaultAndResetTest {
    private static final long FEATURES = Feature.VERSION_1;
    private static final int BAD_HEAD = 8;

    private final EchoMachine machine = new EchoMachine();
    private final DeviceController controller = machine.controller();
    private final DeviceLog log = new DeviceLog();

    @AfterEach
    void closeLog() {
        log.close();
    }

    static Stream<Arguments> invalidPlaces() {
        QueueAddresses good = QueueAddresses.inBlock(8, 0);
        long desc = good.descriptorTable();
        long avail = good.availableRing();
        long used = good.usedRing();
        long end = EchoMachine.RAM_BYTES;
        return Stream.of(
                Arguments.of(new QueueAddresses(0, desc, avail, used), QueueFault.SIZE_INVALID),
                Arguments.of(new QueueAddresses(3, desc, avail, used), QueueFault.SIZE_INVALID),
                Arguments.of(new QueueAddresses(-8, desc, avail, used), QueueFault.SIZE_INVALID),
                Arguments.of(
                        new QueueAddresses(Integer.MIN_VALUE, desc, avail, used),
                        QueueFault.SIZE_INVALID),
                Arguments.of(new QueueAddresses(16, desc, avail, used), QueueFault.SIZE_INVALID),
                Arguments.of(
                        new QueueAddresses(8, desc + 8, avail, used), QueueFault.RING_MISALIGNED),
                Arguments.of(
                        new QueueAddresses(8, desc, avail + 1, used), QueueFault.RING_MISALIGNED),
                Arguments.of(
                        new QueueAddresses(8, desc, avail, used + 2), QueueFault.RING_MISALIGNED),
                Arguments.of(
                        new QueueAddresses(8, end - 64, avail, used), QueueFault.RING_OUTSIDE_RAM),
                Arguments.of(
                        new QueueAddresses(8, desc, end - 2, used), QueueFault.RING_OUTSIDE_RAM),
                Arguments.of(
                        new QueueAddresses(8, desc, avail, end - 4), QueueFault.RING_OUTSIDE_RAM),
                Arguments.of(
                        new QueueAddresses(8, Long.MIN_VALUE, avail, used),
                        QueueFault.RING_OUTSIDE_RAM),
                Arguments.of(new QueueAddresses(8, -16, avail, used), QueueFault.RING_OUTSIDE_RAM));
    }

    @ParameterizedTest
    @MethodSource("invalidPlaces")
    void needsResetWhenAQueueIsEnabledWhereItCannotBe(QueueAddresses place, QueueFault fault) {
        machine.bringUp(FEATURES);

        controller.enableQueue(1, place);

        assertEquals(DRIVER_OK | NEEDS_RESET, machine.status());
        assertEquals(1, controller.faultCount(fault));
    }

    @ParameterizedTest
    @MethodSource("invalidPlaces")
    void needsResetAtDriverOkWhenAQueueCannotBe(QueueAddresses place, QueueFault fault) {
        machine.negotiate(FEATURES);
        controller.enableQueue(1, place);

        machine.status(DRIVER_OK);

        assertEquals(DRIVER_OK | NEEDS_RESET, machine.status());
        assertEquals(1, controller.faultCount(fault));
        assertEquals(
                InterruptStatus.CONFIG_CHANGE_FLAG, machine.read(MmioRegister.INTERRUPT_STATUS));
    }

    @Test
    @DisplayName("STATUS-DEV-03: a broken ring turns DEVICE_NEEDS_RESET on")
    void needsResetAfterARingFault() {
        machine.bringUp(FEATURES);

        breakRing(0, 0);
        machine.pollAll();

        assertEquals(DRIVER_OK | NEEDS_RESET, machine.status());
        assertEquals(1, controller.faultCount(QueueFault.HEAD_OUT_OF_RANGE));
    }

    @Test
    @DisplayName("STATUS-DEV-04, NOTIFY-DESC-07: it is announced by a configuration interrupt")
    void announcesThatItNeedsReset() {
        List<Integer> statusAtInterrupt = new ArrayList<>();
        EchoMachine[] self = new EchoMachine[1];
        self[0] =
                new EchoMachine(
                        echo -> echo,
                        Ownership.REGISTER_THREAD,
                        () -> {},
                        level -> statusAtInterrupt.add(self[0].status()));
        self[0].bringUp(FEATURES);

        breakRing(self[0], 0, 0);
        self[0].pollAll();

        assertEquals(
                InterruptStatus.CONFIG_CHANGE_FLAG, self[0].read(MmioRegister.INTERRUPT_STATUS));
        assertEquals(List.of(DRIVER_OK | NEEDS_RESET), statusAtInterrupt);
    }

    @Test
    void returnsTheGoodBuffersThatCameBeforeTheBadOne() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x1122);

        breakRing(0, 1);
        machine.pollAll();

        assertEquals(1, machine.usedIdx(0));
        assertEquals(0x1122, machine.answer(0));
        assertEquals(InterruptStatus.DEFINED_MASK, machine.read(MmioRegister.INTERRUPT_STATUS));
    }

    @Test
    void stopsItsOtherQueuesToo() {
        machine.bringUp(FEATURES);
        DriverQueue other = machine.driverQueue(1, FEATURES);
        machine.enable(1);
        machine.pollAll();

        breakRing(0, 0);
        machine.offer(other, 0, 0x1122);
        controller.notifyQueue(1);
        machine.pollAll();

        assertEquals(0, machine.answer(0));
    }

    @Test
    void staysBrokenUntilReset() {
        machine.bringUp(FEATURES);
        breakRing(0, 0);
        machine.pollAll();

        controller.notifyQueue(0);
        machine.enable(1);
        machine.status(DRIVER_OK);
        machine.pollAll();

        assertEquals(DRIVER_OK | NEEDS_RESET, machine.status());
        assertEquals(1, controller.faultCount(QueueFault.HEAD_OUT_OF_RANGE));
        assertFalse(machine.echo.told().contains("enabled 1 size 8"));
    }

    @Test
    void breaksNoOtherDevice() {
        EchoMachine neighbour = new EchoMachine();
        DriverQueue queue = neighbour.bringUp(FEATURES);
        machine.bringUp(FEATURES);

        breakRing(0, 0);
        machine.pollAll();
        neighbour.offer(queue, 0, 0x1122);
        neighbour.pollAll();

        assertEquals(0x1122, neighbour.answer(0));
        assertEquals(DRIVER_OK, neighbour.status());
    }

    @Test
    void countsEveryFaultAndLogsEachKindOnce() {
        for (int i = 0; i < 3; i++) {
            machine.status(0);
            machine.bringUp(FEATURES);
            breakRing(0, 0);
            machine.pollAll();
        }
        machine.status(0);
        machine.bringUp(FEATURES);
        controller.enableQueue(1, new QueueAddresses(3, 0, 0, 0));

        assertEquals(3, controller.faultCount(QueueFault.HEAD_OUT_OF_RANGE));
        assertEquals(1, controller.faultCount(QueueFault.SIZE_INVALID));
        assertEquals(2, log.lineCount());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 11, 15, 15 | NEEDS_RESET, 11 | 128, 15 | 128})
    @DisplayName("RESET-DEV-01, STATUS-DESC-01, MMIO-DESC-11: 0 resets the device in every state")
    void resetsInEveryState(int state) {
        goTo(state);

        machine.status(0);

        assertEquals(0, machine.status());
        assertEquals(0, controller.driverFeatures());
        assertFalse(controller.isQueueEnabled(0));
        assertEquals("reset", machine.echo.told().get(machine.echo.told().size() - 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 11, 15, 15 | NEEDS_RESET, 11 | 128, 15 | 128})
    void worksAgainAfterAResetInEveryState(int state) {
        goTo(state);
        machine.status(0);

        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x1122);
        machine.pollAll();

        assertEquals(0x1122, machine.answer(0));
        assertEquals(DRIVER_OK, machine.status());
    }

    private void goTo(int state) {
        if ((state & 8) != 0) {
            machine.acceptFeatures(FEATURES);
            machine.enable(0);
        }
        if (state != 0) {
            machine.status(state & ~NEEDS_RESET);
        }
        if ((state & NEEDS_RESET) != 0) {
            breakRing(0, 0);
            machine.pollAll();
        }
        assertEquals(state, machine.status());
    }

    @Test
    @DisplayName("RESET-DEV-03: after reset the device leaves the queues alone")
    void leavesQueuesAloneAfterReset() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(0);

        machine.status(0);
        controller.notifyQueue(0);
        machine.pollAll();

        assertEquals(0, machine.usedIdx(0));
        assertEquals(0, machine.answer(0));
    }

    @Test
    void leavesAQueueAloneThatTheNextDriverDoesNotEnable() {
        machine.bringUp(FEATURES);
        DriverQueue old = machine.driverQueue(1, FEATURES);
        machine.enable(1);
        machine.pollAll();
        machine.status(0);

        machine.bringUp(FEATURES);
        machine.offer(old, 0, 0x1122);
        controller.notifyQueue(1);
        machine.pollAll();

        assertEquals(0, machine.usedIdx(1));
        assertEquals(0, machine.answer(0));
    }

    @Test
    @DisplayName("RESET-DEV-02: after reset the device keeps quiet")
    void keepsQuietAfterReset() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x1122);
        controller.notifyQueue(0);

        machine.status(0);
        controller.configChanged();
        machine.pollAll();

        assertFalse(machine.irq.claim());
        assertFalse(machine.irq.level());
    }

    @Test
    void forgetsAConfigurationWriteAtReset() {
        controller.writeConfig(EchoDevice.DRIVER_FIELD, 4, 1);

        machine.status(0);
        machine.pollAll();

        assertEquals(List.of("attached", "reset"), machine.echo.told());
    }

    /** Makes avail entry {@code index} name no descriptor, publishes it and kicks. */
    private void breakRing(int queue, int index) {
        breakRing(machine, queue, index);
    }

    private static void breakRing(EchoMachine machine, int queue, int index) {
        long available = machine.place(queue).availableRing();
        machine.ram.putShort(available + 4 + 2L * index, BAD_HEAD);
        machine.ram.putShort(available + 2, index + 1);
        machine.kick(queue);
    }
}
