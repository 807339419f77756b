package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.function.IntPredicate;
import java.util.stream.LongStream;

/**
 * No register access throws, hangs or leaves the device in a state that a reset does not end,
 * whatever the guest does. Replay one seed by {@code -Daerostat.seed=N}.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MmioTotalityTest {
    private static final int STEPS = 20_000;

    /** Anything but FEATURES_OK or DRIVER_OK on its own, and no foreign bit. */
    private static final int DEFINED_STATUS =
            DeviceStatus.DRIVER_WRITABLE_MASK | DeviceStatus.DEVICE_NEEDS_RESET_FLAG;

    private final DeviceLog log = new DeviceLog();

    static LongStream seeds() {
        return Seeds.first(12);
    }

    @AfterEach
    void closeLog() {
        log.close();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void isTotalWhenTheRegisterThreadPolls(long seed) {
        EchoMachine machine = new EchoMachine(echo -> echo.servingPerPass(3));
        HostileGuest guest = new HostileGuest(machine, seed);

        play(
                machine,
                guest,
                seed,
                step -> {
                    if (step % 3 == 0) {
                        machine.controller().poll(0);
                    }
                    boolean asserted = machine.read(MmioRegister.INTERRUPT_STATUS) != 0;
                    return machine.irq.level() == asserted;
                });

        machine.status(0);
        checkWorks(machine, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void isTotalWhenAThreadOfItsOwnPolls(long seed) {
        EchoMachine machine;
        try (OwnerThread owner = new OwnerThread()) {
            machine = new EchoMachine(echo -> echo.servingPerPass(3), Ownership.OWN_THREAD, owner);
            owner.start(machine.controller());
            HostileGuest guest = new HostileGuest(machine, seed);

            play(machine, guest, seed, step -> true);
        }

        machine.status(0);
        checkWorks(machine, seed);
    }

    private static void play(
            EchoMachine machine, HostileGuest guest, long seed, IntPredicate isWell) {
        int step = 0;
        try {
            for (; step < STEPS; step++) {
                guest.step();
                assertTrue(isWell.test(step), "line and InterruptStatus differ");
                int status = machine.status();
                assertEquals(0, status & ~DEFINED_STATUS, "status=" + status);
                assertTrue(isPossible(status), "status=" + status);
            }
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(
                    Seeds.replay(seed) + ", step=" + step + ": " + guest.last(), e);
        }
    }

    private static boolean isPossible(int status) {
        boolean featuresOk = (status & DeviceStatus.FEATURES_OK_FLAG) != 0;
        boolean driverOk = (status & DeviceStatus.DRIVER_OK_FLAG) != 0;
        boolean needsReset = (status & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0;
        return (!driverOk || featuresOk) && (!needsReset || driverOk);
    }

    private static void checkWorks(EchoMachine machine, long seed) {
        DriverQueue queue = machine.bringUp(Feature.VERSION_1);
        machine.offer(queue, 0, 0x1122_3344);
        machine.pollAll();

        assertEquals(0x1122_3344, machine.answer(0), Seeds.replay(seed));
        assertEquals(EchoMachine.DRIVER_OK, machine.status(), Seeds.replay(seed));
    }
}
