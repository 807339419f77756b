package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.SnapshotBytes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Snapshots that a device refuses, and that it is none the worse for it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RestoreRefusalTest {
    private static final long FEATURES = Feature.VERSION_1 | Feature.INDIRECT_DESC;

    private final EchoMachine machine = new EchoMachine();
    private final DeviceLog log = new DeviceLog();

    @AfterEach
    void closeLog() {
        log.close();
    }

    private static String refusal(EchoMachine machine, byte[] snapshot) {
        return assertThrows(SnapshotException.class, () -> machine.device.restore(snapshot))
                .getMessage();
    }

    @Test
    void refusesANewerVersion() {
        byte[] newer = machine.device.save();
        newer[8] = 2;

        String message = refusal(machine, SnapshotBytes.sealed(newer));

        assertEquals("snapshot has another version: version=2, supported=1", message);
    }

    @Test
    void refusesOtherRam() {
        GuestMemory other =
                GuestMemory.of(
                        RamRegion.ofBuffer(0, ByteBuffer.allocateDirect(1 << 19)),
                        RamRegion.ofBuffer(1 << 21, ByteBuffer.allocateDirect(1 << 19)));
        EchoDevice echo = new EchoDevice(other);
        MmioDevice device =
                new MmioDevice(other, echo, level -> {}, Ownership.REGISTER_THREAD, () -> {});
        byte[] snapshot = device.save();

        assertEquals(
                "snapshot is of another machine: ramRegions=0x2, here=0x1",
                refusal(machine, snapshot));
    }

    @Test
    void refusesAnotherDevice() {
        byte[] snapshot = machine.device.save();
        machine.bringUp(FEATURES);
        byte[] withLargeQueue = machine.device.save();

        EchoMachine lessOffered =
                new EchoMachine(echo -> echo.offering(EchoDevice.OFFERED & ~EchoDevice.SPARE));
        EchoMachine fewerQueues = new EchoMachine(echo -> echo.withQueues(2, 8));
        EchoMachine smallerQueues = new EchoMachine(echo -> echo.withQueues(3, 4));
        EchoMachine choosy = new EchoMachine(echo -> echo.refusing(Feature.INDIRECT_DESC));

        assertEquals(
                "snapshot is of another machine: offered=0x130000003, here=0x130000001",
                refusal(lessOffered, snapshot));
        assertEquals(
                "snapshot has an impossible value: queueRegisters=3",
                refusal(fewerQueues, snapshot));
        assertEquals(
                "snapshot has a queue that cannot be here: queue=0, fault=SIZE_INVALID",
                refusal(smallerQueues, withLargeQueue));
        assertEquals(
                "snapshot has an impossible value: accepted=" + FEATURES,
                refusal(choosy, withLargeQueue));
    }

    @Test
    void refusesWhatIsLeftOver() {
        byte[] snapshot = machine.device.save();
        byte[] longer = Arrays.copyOf(snapshot, snapshot.length + 4);
        ByteBuffer.wrap(longer).order(ByteOrder.LITTLE_ENDIAN).putInt(12, longer.length);

        assertEquals(
                "snapshot says more than is known: bytes=4",
                refusal(machine, SnapshotBytes.sealed(longer)));
    }

    @Test
    void whateverIsDamagedTheDeviceIsUnchangedAndWorks() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        machine.pollAll();
        byte[] now = machine.device.save();
        EchoMachine other = new EchoMachine(echo -> echo.restingAfter(1));
        DriverQueue itsQueue = other.bringUp(FEATURES);
        other.offer(itsQueue, 0, 5);
        other.controller().poll(0);
        byte[] good = other.device.save();

        for (int bit = 0; bit < Byte.SIZE * good.length; bit++) {
            byte[] bad = good.clone();
            bad[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
            refusal(machine, bad);
        }
        for (int length = 0; length < good.length; length++) {
            refusal(machine, Arrays.copyOf(good, length));
        }

        assertArrayEquals(now, machine.device.save());
        machine.offer(queue, 1, 0x55);
        machine.kick(0);
        machine.pollAll();
        assertEquals(0x55, machine.answer(1));
    }

    /** Every byte, with values near the edges and a good checksum. */
    @Test
    void whateverIsForgedIsRefusedWithoutEffectOrServed() {
        EchoMachine other = new EchoMachine(echo -> echo.restingAfter(1));
        DriverQueue queue = other.bringUp(FEATURES);
        other.offer(queue, 0, 5);
        other.controller().poll(0);
        byte[] good = other.device.save();
        Random random = new Random(1);
        EchoMachine victim =
                new EchoMachine(
                        other.memory,
                        echo -> echo.restingAfter(1),
                        Ownership.REGISTER_THREAD,
                        () -> {},
                        level -> {});
        int refused = 0;
        int taken = 0;

        for (int at = 20; at < good.length; at++) {
            for (int value : new int[] {0, 1, 2, 127, 128, 255, random.nextInt(256)}) {
                byte[] forged = good.clone();
                forged[at] = (byte) value;
                byte[] before = victim.device.save();
                try {
                    victim.device.restore(SnapshotBytes.sealed(forged));
                    taken++;
                    victim.controller().poll(0);
                    victim.read(MmioRegister.CONFIG_GENERATION);
                } catch (SnapshotException e) {
                    refused++;
                    assertArrayEquals(before, victim.device.save(), e.getMessage());
                }
            }
        }

        assertTrue(refused > 500 && taken > 500, "refused=" + refused + ", taken=" + taken);
        victim.status(0);
        DriverQueue again = victim.bringUp(FEATURES);
        victim.offer(again, 0, 0x66);
        victim.kick(0);
        victim.pollAll();
        assertEquals(0x66, victim.answer(0));
    }
}
