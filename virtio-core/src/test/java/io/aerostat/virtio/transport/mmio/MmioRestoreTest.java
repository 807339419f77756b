package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.function.UnaryOperator;

/** A device behind registers that is saved and restored: what comes back, and when it may be. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MmioRestoreTest {
    private static final long FEATURES = Feature.VERSION_1 | Feature.INDIRECT_DESC;

    private final EchoMachine machine = new EchoMachine();

    private static EchoMachine onSameRam(EchoMachine machine, UnaryOperator<EchoDevice> tailor) {
        return new EchoMachine(
                machine.memory, tailor, Ownership.REGISTER_THREAD, () -> {}, level -> {});
    }

    private static EchoMachine successor(EchoMachine machine, UnaryOperator<EchoDevice> tailor)
            throws SnapshotException {
        EchoMachine next = onSameRam(machine, tailor);
        next.device.restore(machine.device.save());
        return next;
    }

    private static EchoMachine successor(EchoMachine machine) throws SnapshotException {
        return successor(machine, echo -> echo);
    }

    private static void quietly(Runnable action) {
        try (DeviceLog log = new DeviceLog()) {
            action.run();
            assertTrue(log.lineCount() > 0);
        }
    }

    @Test
    void theDriverSeesTheSameRegisters() throws SnapshotException {
        machine.bringUp(FEATURES | EchoDevice.EXTRA_QUEUE);
        machine.write(MmioRegister.DEVICE_FEATURES_SEL, 1);
        machine.write(MmioRegister.QUEUE_SEL, 2);
        machine.echo.config().set(0, 0x1234);
        machine.device.store(0x100 + EchoDevice.DRIVER_FIELD, 4, 77);

        EchoMachine next = successor(machine);

        for (long offset = 0; offset < MmioDevice.WINDOW_BYTES; offset += 4) {
            assertEquals(machine.device.load(offset, 4), next.device.load(offset, 4));
        }
        assertArrayEquals(machine.device.save(), next.device.save());
        assertEquals(2, next.read(MmioRegister.CONFIG_GENERATION));
    }

    @Test
    void keepsSizeAndAddressesOfAQueueThatIsNotEnabledYet() throws SnapshotException {
        machine.negotiate(FEATURES);
        DriverQueue queue = machine.driverQueue(0, FEATURES);
        machine.describe(0, machine.place(0));

        EchoMachine next = successor(machine);
        next.write(MmioRegister.QUEUE_READY, 1);
        next.status(EchoMachine.DRIVER_OK);
        next.offer(queue, 0, 0x1122);
        next.kick(0);
        next.pollAll();

        assertEquals(0x1122, next.answer(0));
    }

    @Test
    void remembersAFeatureThatWasNeverOffered() throws SnapshotException {
        machine.status(EchoMachine.DRIVER);
        machine.write(MmioRegister.DRIVER_FEATURES_SEL, 3);
        machine.write(MmioRegister.DRIVER_FEATURES, 1);
        machine.acceptFeatures(FEATURES);

        EchoMachine next = successor(machine);
        next.status(EchoMachine.FEATURES_OK);

        assertEquals(EchoMachine.DRIVER, next.status());
    }

    @Test
    void tellsTheDriverLaterWhatItWasNotTold() throws SnapshotException {
        machine.controller().configChanged();

        EchoMachine next = successor(machine);
        next.bringUp(FEATURES);

        assertEquals(2, next.read(MmioRegister.INTERRUPT_STATUS));
    }

    @Test
    void tellsTheDeviceOfAConfigurationWriteThatWasWaiting() throws SnapshotException {
        machine.device.store(0x100 + EchoDevice.DRIVER_FIELD, 4, 77);

        EchoMachine next = successor(machine);
        next.pollAll();

        assertTrue(next.echo.told().contains("configWritten"));
    }

    @Test
    void raisesTheInterruptAnew() throws SnapshotException {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        machine.pollAll();
        assertTrue(machine.irq.claim());

        EchoMachine next = successor(machine);

        assertTrue(next.irq.level());
        assertTrue(next.irq.claim());
        next.write(MmioRegister.INTERRUPT_ACK, 1);
        assertFalse(next.irq.level());
    }

    @Test
    void lowersTheLineOfADeviceThatHadAnInterrupt() throws SnapshotException {
        byte[] quiet = machine.device.save();
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        machine.pollAll();
        assertTrue(machine.irq.level());

        machine.device.restore(quiet);

        assertFalse(machine.irq.level());
        assertEquals(0, machine.status());
    }

    @Test
    void tellsTheDeviceWhichQueuesGoAndWhichCome() throws SnapshotException {
        machine.bringUp(FEATURES);
        EchoMachine used = new EchoMachine();
        used.bringUp(FEATURES | EchoDevice.EXTRA_QUEUE);
        used.enable(2);
        int before = used.echo.told().size();

        used.device.restore(machine.device.save());

        assertEquals(
                List.of("disabled 0", "disabled 2", "enabled 0 size 8", "restored 0x110000000"),
                used.echo.told().subList(before, used.echo.told().size()));
    }

    @Test
    void aDeviceThatNeededAResetStillDoes() throws SnapshotException {
        machine.bringUp(FEATURES);
        machine.ram.putShort(machine.place(0).availableRing() + 2, 9);
        quietly(machine::pollAll);

        EchoMachine next = successor(machine);
        next.kick(0);
        next.pollAll();

        assertEquals(EchoMachine.DRIVER_OK | EchoMachine.NEEDS_RESET, next.status());
        assertEquals(0, next.usedIdx(0));
        next.status(0);
        DriverQueue again = next.bringUp(FEATURES);
        next.offer(again, 0, 0x77);
        next.pollAll();
        assertEquals(0x77, next.answer(0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesOnInsideALongChain(boolean indirect) throws SnapshotException {
        UnaryOperator<EchoDevice> tailor = echo -> echo.restingAfter(1);
        EchoMachine at = new EchoMachine(tailor);
        at.bringUp(FEATURES);
        long descriptors = at.place(0).descriptorTable();
        long table = indirect ? EchoMachine.BUFFERS + 0x1000 : descriptors;
        for (int i = 0; i < 6; i++) {
            at.ram.putLong(EchoMachine.BUFFERS + 8L * i, 100 + i);
            at.ram.putLong(table + 16L * i, EchoMachine.BUFFERS + 8L * i);
            at.ram.putInt(table + 16L * i + 8, 8);
            at.ram.putShort(table + 16L * i + 12, (i < 5 ? 1 : 0) | (i < 3 ? 0 : 2));
            at.ram.putShort(table + 16L * i + 14, i + 1);
        }
        if (indirect) {
            at.ram.putLong(descriptors, table);
            at.ram.putInt(descriptors + 8, 16 * 6);
            at.ram.putShort(descriptors + 12, 4);
        }
        at.ram.putShort(at.place(0).availableRing() + 2, 1);
        at.kick(0);

        int passes = 0;
        while (at.usedIdx(0) == 0 && at.controller().poll(0) != 0) {
            at = successor(at, tailor);
            passes++;
        }

        assertTrue(passes >= 6, "passes=" + passes);
        assertEquals(1, at.usedIdx(0));
        for (int i = 0; i < 3; i++) {
            assertEquals(100 + i, at.ram.getLong(EchoMachine.BUFFERS + 8L * (3 + i)));
        }
        assertEquals(24, at.ram.getInt(at.place(0).usedRing() + 8));
        assertEquals(1, at.echo.echoed());
    }

    // where it may be called

    /** Calls that need the pass to be over. */
    enum Call {
        SAVE,
        RESTORE,
        DRAIN,
        RESUME;

        void on(EchoMachine machine, byte[] snapshot) {
            try {
                switch (this) {
                    case SAVE -> assertEquals(0, machine.device.save().length);
                    case RESTORE -> machine.device.restore(snapshot);
                    case DRAIN -> machine.controller().drain();
                    case RESUME -> machine.controller().resume();
                }
            } catch (SnapshotException e) {
                throw new AssertionError(e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Call.class)
    void isNoCallFromInsideAPass(Call call) {
        byte[] snapshot = machine.device.save();
        IllegalStateException[] thrown = new IllegalStateException[1];
        machine.controller()
                .execute(
                        () ->
                                thrown[0] =
                                        assertThrows(
                                                IllegalStateException.class,
                                                () -> call.on(machine, snapshot)));

        machine.pollAll();

        assertEquals("not from inside a pass: deviceId=42", thrown[0].getMessage());
    }

    @Test
    void savesAndRestoresUnderTrafficWithAnOwner() throws SnapshotException {
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine own =
                    new EchoMachine(echo -> echo.restingAfter(1), Ownership.OWN_THREAD, owner);
            owner.start(own.controller());
            DriverQueue queue = own.bringUp(FEATURES);
            int offered = 0;
            int done = 0;
            for (int round = 0; round < 1000; round++) {
                for (; queue.freeDescriptors() >= 2; offered++) {
                    own.offer(queue, offered % 4, offered);
                }
                own.kick(0);
                own.controller().drain();
                own.device.restore(own.device.save());
                own.controller().resume();
                while (queue.poll() >= 0) {
                    done++;
                }
            }
            int all = offered & 0xFFFF;
            Spin.until(() -> own.usedIdx(0) == all);
            while (queue.poll() >= 0) {
                done++;
            }

            assertEquals(offered, done);
            assertEquals(EchoMachine.DRIVER_OK, own.status());
        }
    }

    /** Not drained: RAM goes on, but each snapshot is of a moment between two passes. */
    @Test
    void everySnapshotOfABusyDeviceIsWhole() throws SnapshotException {
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine own =
                    new EchoMachine(echo -> echo.restingAfter(1), Ownership.OWN_THREAD, owner);
            owner.start(own.controller());
            DriverQueue queue = own.bringUp(FEATURES);
            for (int round = 0; round < 1000; round++) {
                while (queue.freeDescriptors() >= 2) {
                    own.offer(queue, round % 4, round);
                }
                own.kick(0);
                EchoMachine other = new EchoMachine(echo -> echo.restingAfter(1));

                other.device.restore(own.device.save());

                assertEquals(EchoMachine.DRIVER_OK, other.status());
                while (queue.poll() >= 0) {
                    // Room for the next ones.
                }
            }
        }
    }
}
