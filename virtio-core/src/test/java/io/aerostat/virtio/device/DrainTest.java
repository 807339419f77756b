package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** A device that stands still: what it does not do, what it keeps, and how it goes on. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DrainTest {
    private static final long FEATURES = Feature.VERSION_1;

    private final EchoMachine machine = new EchoMachine();

    @Test
    void servesNothingAndSeesNoTimePass() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        long ticks = machine.echo.ticks();

        machine.controller().drain();
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        machine.device.store(0x100 + EchoDevice.DRIVER_FIELD, 4, 1);
        int work = machine.controller().poll(0);

        assertEquals(0, work);
        assertEquals(0, machine.usedIdx(0));
        assertEquals(ticks, machine.echo.ticks());
        assertFalse(machine.echo.told().contains("configWritten"));
    }

    @Test
    void goesOnWithWhatHasComeMeanwhile() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        machine.controller().drain();
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        machine.device.store(0x100 + EchoDevice.DRIVER_FIELD, 4, 1);
        machine.pollAll();
        int rings = machine.rings.get();

        machine.controller().resume();
        machine.pollAll();

        assertEquals(rings + 1, machine.rings.get());
        assertEquals(0x11, machine.answer(0));
        assertTrue(machine.echo.told().contains("configWritten"));
    }

    @Test
    void stillRunsCommands() {
        AtomicInteger runs = new AtomicInteger();
        machine.controller().drain();

        machine.controller().execute(runs::incrementAndGet);
        machine.pollAll();

        assertEquals(1, runs.get());
    }

    @Test
    void aResetIsAResetAndTheDeviceStaysDrained() {
        machine.bringUp(FEATURES);
        machine.controller().drain();

        machine.status(0);
        DriverQueue again = machine.bringUp(FEATURES);
        machine.offer(again, 0, 0x22);
        machine.kick(0);
        machine.pollAll();
        int whileDrained = machine.usedIdx(0);
        machine.controller().resume();
        machine.pollAll();

        assertTrue(machine.echo.told().contains("reset"));
        assertEquals(0, whileDrained);
        assertEquals(0x22, machine.answer(0));
    }

    @Test
    void onceOrOftenIsTheSame() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.controller().drain();
        machine.controller().drain();
        machine.offer(queue, 0, 0x33);

        machine.controller().resume();
        machine.controller().resume();
        machine.pollAll();

        assertEquals(0x33, machine.answer(0));
    }

    @Test
    void aRestoreLeavesADrainedDeviceDrainedAndTheOtherRunning() throws SnapshotException {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        machine.controller().drain();
        machine.offer(queue, 0, 0x44);
        machine.kick(0);
        byte[] savedWhileDrained = machine.device.save();

        machine.device.restore(savedWhileDrained);
        machine.pollAll();
        int here = machine.usedIdx(0);
        EchoMachine next =
                new EchoMachine(
                        machine.memory,
                        echo -> echo,
                        Ownership.REGISTER_THREAD,
                        () -> {},
                        level -> {});
        next.device.restore(savedWhileDrained);
        next.pollAll();

        assertEquals(0, here);
        assertEquals(0x44, next.answer(0));
    }

    @Test
    void stopsAnOwnerInTheMiddleOfTraffic() {
        AtomicBoolean inPass = new AtomicBoolean();
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine own =
                    new EchoMachine(
                            echo -> echo.beforeEach(() -> inPass.set(true)).servingPerPass(1),
                            Ownership.OWN_THREAD,
                            owner);
            owner.start(own.controller());
            DriverQueue queue = own.bringUp(FEATURES);
            long done = 0;
            for (int round = 0; round < 300; round++) {
                while (queue.freeDescriptors() >= 2) {
                    own.offer(queue, round % 4, round);
                }
                own.kick(0);

                own.controller().drain();
                inPass.set(false);
                byte[] ring = usedRing(own);
                own.kick(0);
                if (round % 10 == 0) {
                    owner.awaitPolls(3);
                }

                assertFalse(inPass.get());
                assertArrayEquals(ring, usedRing(own));
                own.controller().resume();
                Spin.until(() -> own.usedIdx(0) == availableIdx(own));
                while (queue.poll() >= 0) {
                    done++;
                }
            }
            assertEquals(300 * 4, done);
        }
    }

    private static int availableIdx(EchoMachine machine) {
        return machine.ram.getUnsignedShort(machine.place(0).availableRing() + 2);
    }

    private static byte[] usedRing(EchoMachine machine) {
        byte[] bytes = new byte[6 + 8 * 8];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = machine.ram.getByte(machine.place(0).usedRing() + i);
        }
        return bytes;
    }
}
