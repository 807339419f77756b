package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.IndirectTables;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.InterruptStatus;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayDeque;
import java.util.stream.Stream;

/** Driver and device together, meeting in registers and RAM alone. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class EchoEndToEndTest {
    private static final long PLAIN = Feature.VERSION_1;
    private static final long EVENT_IDX = PLAIN | Feature.EVENT_IDX;
    private static final int SIZE = 64;
    private static final int TRAFFIC = 200_000;

    /** A driver of queue 0 of a machine. */
    private static final class Driver {
        final EchoMachine machine;
        final MmioTransport transport;
        final DriverQueue queue;

        Driver(EchoMachine machine, long features) {
            this.machine = machine;
            transport = new MmioTransport(machine.device);
            DriverHandshake handshake = new DriverHandshake(transport);
            assertNull(handshake.negotiate(EchoDevice.DEVICE_ID, features, features));
            QueueAddresses place = machine.place(0);
            queue = new DriverQueue(machine.memory, place, handshake.features(), null);
            assertNull(handshake.enableQueue(0, place));
            assertNull(handshake.finish());
        }

        void offer(int slot, long payload) {
            if (machine.offer(queue, slot, payload)) {
                transport.kick(0);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "0x20000000", "0x10000000", "0x30000000"})
    void echoesStepByStep(String extra) {
        EchoMachine machine = new EchoMachine();
        Driver driver = new Driver(machine, PLAIN | Long.decode(extra));

        // Past the wrap of the 16-bit indices.
        for (int i = 0; i < 70_000; i++) {
            driver.offer(i % 8, i);
            machine.pollAll();

            int head = driver.queue.poll();
            assertTrue(head >= 0, () -> "no buffer is back: fault=" + driver.queue.fault());
            assertEquals(8, driver.queue.usedLength());
            assertEquals(i, machine.answer(i % 8));
            driver.transport.acknowledge(driver.transport.interruptCauses());
        }

        assertFalse(machine.irq.level());
    }

    @Test
    void echoesBuffersOfSeveralElements() {
        EchoMachine machine = new EchoMachine();
        Driver driver = new Driver(machine, PLAIN);
        long from = EchoMachine.BUFFERS;
        machine.ram.putLong(from, 0x1122_3344_5566_7788L);

        driver.queue.add(
                new long[] {from, from + 3, from + 100, from + 201, from + 300},
                new long[] {3, 5, 1, 6, 4},
                2,
                3);
        driver.queue.publish();
        driver.transport.kick(0);
        machine.pollAll();
        driver.queue.poll();

        assertEquals(8, driver.queue.usedLength());
        assertEquals(0x88 - 0x100, machine.ram.getByte(from + 100));
        assertEquals(0x2233_4455_6677L, machine.ram.getLong(from + 201));
        assertEquals(0x11, machine.ram.getInt(from + 300));
    }

    @Test
    void echoesThroughIndirectTables() {
        EchoMachine machine = new EchoMachine();
        long features = PLAIN | Feature.INDIRECT_DESC;
        Driver driver = new Driver(machine, features);
        long tables = EchoMachine.BUFFERS + 0x1_0000;
        DriverQueue indirect =
                new DriverQueue(
                        machine.memory,
                        machine.place(0),
                        features,
                        new IndirectTables(machine.memory, tables, 8, 2));

        machine.offer(indirect, 0, 0x1122);
        driver.transport.kick(0);
        machine.pollAll();

        assertEquals(7, indirect.freeDescriptors());
        assertEquals(0x1122, machine.answer(0));
    }

    @Test
    void interruptsOnceForABatchWithEventIdx() {
        EchoMachine machine = new EchoMachine();
        Driver driver = new Driver(machine, EVENT_IDX);
        machine.pollAll();

        for (int slot = 0; slot < 3; slot++) {
            driver.offer(slot, slot);
        }
        machine.pollAll();
        assertEquals(InterruptStatus.USED_BUFFER_FLAG, driver.transport.interruptCauses());
        driver.transport.acknowledge(InterruptStatus.USED_BUFFER_FLAG);
        driver.offer(3, 3);
        machine.pollAll();

        // The driver has not asked for a further interrupt.
        assertEquals(0, driver.transport.interruptCauses());
    }

    static Stream<GuestRam.Kind> kinds() {
        return GuestRam.kinds().filter(kind -> kind != GuestRam.Kind.WITH_HOLE);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void echoesBetweenTwoThreadsByFlags(GuestRam.Kind kind) {
        runTraffic(kind, PLAIN, Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void echoesBetweenTwoThreadsByEventIdx(GuestRam.Kind kind) {
        runTraffic(kind, EVENT_IDX, Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void echoesBetweenTwoThreadsInShortPasses(boolean eventIdx) {
        runTraffic(GuestRam.Kind.DIRECT_BUFFER, eventIdx ? EVENT_IDX : PLAIN, 3);
    }

    // A kick or an interrupt that is lost leaves both sides asleep: the test runs into its limit.
    private static void runTraffic(GuestRam.Kind kind, long features, int chainsPerPass) {
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine machine =
                    new EchoMachine(
                            kind,
                            echo -> echo.withQueues(2, SIZE).servingPerPass(chainsPerPass),
                            Ownership.OWN_THREAD,
                            owner,
                            level -> {});
            owner.start(machine.controller());
            Driver driver = new Driver(machine, features);

            long echoed = new Traffic(driver).run();

            assertEquals(TRAFFIC, echoed);
            assertEquals(EchoMachine.DRIVER_OK, machine.status());
        }
    }

    /** A driver that keeps its queue full and sleeps when nothing is back. */
    private static final class Traffic {
        private final Driver driver;
        private final ArrayDeque<Integer> freeSlots = new ArrayDeque<>();
        private final int[] slotOfHead = new int[SIZE];
        private final long[] payloadOfSlot = new long[SIZE];
        private long offered;
        private long echoed;

        Traffic(Driver driver) {
            this.driver = driver;
            for (int slot = 0; slot < SIZE / 2; slot++) {
                freeSlots.add(slot);
            }
        }

        long run() {
            driver.queue.disarm();
            while (echoed < TRAFFIC) {
                fill();
                if (!drain() && !driver.queue.armAndRecheck()) {
                    sleepUntilInterrupt();
                    driver.queue.disarm();
                }
            }
            return echoed;
        }

        private void fill() {
            EchoMachine machine = driver.machine;
            while (offered < TRAFFIC && !freeSlots.isEmpty()) {
                int slot = freeSlots.remove();
                payloadOfSlot[slot] = 0x1234_5678_0000_0000L + offered++;
                machine.ram.putLong(EchoMachine.requestAt(slot), payloadOfSlot[slot]);
                machine.ram.putLong(EchoMachine.answerAt(slot), 0);
                slotOfHead[addBuffer(slot)] = slot;
            }
            if (driver.queue.publish()) {
                driver.transport.kick(0);
            }
        }

        private int addBuffer(int slot) {
            long[] gpas = {EchoMachine.requestAt(slot), EchoMachine.answerAt(slot)};
            int head = driver.queue.add(gpas, new long[] {8, 8}, 1, 1);
            assertTrue(head >= 0, "queue is full");
            return head;
        }

        private boolean drain() {
            boolean any = false;
            for (int head = driver.queue.poll(); head >= 0; head = driver.queue.poll()) {
                int slot = slotOfHead[head];
                assertEquals(payloadOfSlot[slot], driver.machine.answer(slot));
                freeSlots.add(slot);
                echoed++;
                any = true;
            }
            assertNull(driver.queue.fault());
            return any;
        }

        private void sleepUntilInterrupt() {
            Spin.until(driver.machine.irq::claim);
            driver.transport.acknowledge(driver.transport.interruptCauses());
        }
    }
}
