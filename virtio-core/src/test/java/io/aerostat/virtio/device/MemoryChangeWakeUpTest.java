package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/** Who waits for whom, and who is woken, when RAM comes and goes between two passes. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MemoryChangeWakeUpTest {
    private static final long FEATURES = Feature.VERSION_1;
    private static final int HALF = EchoMachine.RAM_BYTES / 2;

    private final GuestMemory memory =
            GuestMemory.of(
                    RamRegion.ofArray(0, new byte[HALF]), RamRegion.ofArray(HALF, new byte[HALF]));

    @Test
    void aHandlerThatStartsAnewFromInsideADetachIsServedByThePollThatIsRungFor() {
        EchoMachine[] self = new EchoMachine[1];
        AtomicBoolean startsAnew = new AtomicBoolean();
        RamRegion spare = RamRegion.ofArray(EchoMachine.RAM_BYTES, new byte[HALF]);
        GuestMemory wider = GuestMemory.of(memory.region(0), memory.region(1), spare);
        self[0] =
                new EchoMachine(
                        wider,
                        echo -> echo.restingAfter(1),
                        Ownership.NOTIFY_DRIVEN,
                        () -> {},
                        level -> {
                            if (level && startsAnew.getAndSet(false)) {
                                self[0].status(0);
                                DriverQueue queue = self[0].bringUp(FEATURES);
                                self[0].offer(queue, 1, 0x22);
                                self[0].kick(0);
                            }
                        });
        EchoMachine machine = self[0];
        DriverQueue queue = machine.bringUp(FEATURES);
        long[] gpas = {spare.gpa(), spare.gpa() + 8};
        assertTrue(queue.add(gpas, new long[] {8, 8}, 1, 1) >= 0);
        queue.publish();
        machine.kick(0);
        startsAnew.set(true);
        machine.rings.set(0);

        machine.device.detach(spare);
        assertTrue(machine.rings.get() > 0, "the doorbell");
        machine.pollAll();

        assertEquals(0x22, machine.answer(1));
        assertEquals(EchoMachine.DRIVER_OK, machine.status());
    }

    @Test
    void oneThreadThatOwnsTwoDevicesDetachesBetweenThePassesOfBoth() {
        AtomicBoolean stopping = new AtomicBoolean();
        EchoMachine one = ownThread();
        EchoMachine other = ownThread();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread owner =
                new Thread(
                        () -> {
                            while (!stopping.get()) {
                                one.controller().poll(0);
                                other.controller().poll(0);
                                Thread.onSpinWait();
                            }
                        });
        owner.setUncaughtExceptionHandler((thread, e) -> failure.set(e));
        owner.setDaemon(true);
        owner.start();
        one.bringUp(FEATURES);

        one.controller().betweenPasses(() -> other.device.detach(memory.region(0)));
        Spin.until(() -> (one.status() & EchoMachine.NEEDS_RESET) != 0 || failure.get() != null);
        stopping.set(true);

        assertNull(failure.get());
    }

    private EchoMachine ownThread() {
        return new EchoMachine(memory, echo -> echo, Ownership.OWN_THREAD, () -> {}, level -> {});
    }
}
