package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/** RAM that is attached and detached while a device works on it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MemoryChangeTest {
    private static final long FEATURES = Feature.VERSION_1;
    private static final int HALF = EchoMachine.RAM_BYTES / 2;

    private final ByteBuffer ringBytes = ByteBuffer.allocateDirect(HALF);
    private final ByteBuffer bufferBytes = ByteBuffer.allocateDirect(HALF);
    private final RamRegion rings = RamRegion.ofBuffer(0, ringBytes);
    private final RamRegion buffers = RamRegion.ofBuffer(HALF, bufferBytes);
    private final GuestMemory memory = GuestMemory.of(rings, buffers);

    private EchoMachine machine(UnaryOperator<EchoDevice> tailor) {
        return new EchoMachine(memory, tailor, Ownership.REGISTER_THREAD, () -> {}, level -> {});
    }

    @Test
    void aRingThatIsNotRamAnyMoreNeedsAReset() {
        EchoMachine machine = machine(echo -> echo);
        machine.bringUp(FEATURES);
        machine.pollAll();
        machine.irq.claim();

        machine.device.detach(rings);

        assertEquals(EchoMachine.NEEDS_RESET, machine.status() & EchoMachine.NEEDS_RESET);
        assertEquals(1, machine.controller().faultCount(QueueFault.RING_OUTSIDE_RAM));
        assertTrue(machine.irq.claim());
    }

    @Test
    void nothingReachesTheOldRamHoweverTheGuestKicksOn() {
        EchoMachine machine = machine(echo -> echo);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        machine.offer(queue, 0, 0x11);
        machine.device.detach(rings);
        ByteBuffer before = copyOf(ringBytes);

        for (int i = 0; i < 100; i++) {
            machine.kick(i % 4);
            machine.pollAll();
        }

        assertEquals(before, copyOf(ringBytes));
    }

    private static ByteBuffer copyOf(ByteBuffer bytes) {
        return ByteBuffer.allocate(bytes.capacity()).put(bytes.duplicate().clear()).flip();
    }

    @Test
    void aBufferThatIsNotRamAnyMoreIsAFaultOfTheRingWhenItIsTaken() {
        EchoMachine machine = machine(echo -> echo);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();

        machine.offer(queue, 0, 0x11);
        machine.device.detach(buffers);
        assertEquals(EchoMachine.DRIVER_OK, machine.status());
        machine.kick(0);
        machine.pollAll();

        assertEquals(1, machine.controller().faultCount(QueueFault.ELEMENT_OUTSIDE_RAM));
    }

    @Test
    void aBufferInWorkThatIsNotRamAnyMoreIsAFaultAtOnce() {
        EchoMachine machine = machine(echo -> echo.restingAfter(1));
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        machine.device.poll(0);
        assertEquals(0, machine.usedIdx(0));

        machine.device.detach(buffers);

        assertEquals(1, machine.controller().faultCount(QueueFault.ELEMENT_OUTSIDE_RAM));
    }

    // The first fault of a device leaves its other rings as they stand.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDeviceThatHasLostItsRingsIsRestoredWhereTheyAreMissing(boolean broken)
            throws SnapshotException {
        EchoMachine machine = machine(echo -> echo);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        if (broken) {
            queue.add(Long.MAX_VALUE - 7, 8, false);
            queue.publish();
            machine.kick(0);
            machine.pollAll();
        }
        machine.device.detach(rings);

        byte[] snapshot = machine.device.save();
        machine.device.restore(snapshot);
        machine.pollAll();

        assertEquals(EchoMachine.NEEDS_RESET, machine.status() & EchoMachine.NEEDS_RESET);
    }

    @Test
    void aBufferThatWasReturnedIsNobodysBusiness() {
        EchoMachine machine = machine(echo -> echo);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        machine.pollAll();
        assertEquals(1, machine.usedIdx(0));

        machine.device.detach(buffers);
        machine.pollAll();

        assertEquals(EchoMachine.DRIVER_OK, machine.status());
    }

    @Test
    void aDeviceWhoseLastBufferLayInItIsRestored() throws SnapshotException {
        EchoMachine machine = machine(echo -> echo);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        machine.pollAll();
        machine.device.detach(buffers);

        byte[] snapshot = machine.device.save();
        machine.device.restore(snapshot);
        machine.pollAll();

        assertEquals(1, machine.usedIdx(0));
        assertEquals(EchoMachine.DRIVER_OK, machine.status());
    }

    @Test
    void theDriverStartsAnewOnRamThatWasAttachedInstead() {
        EchoMachine machine = machine(echo -> echo);
        machine.bringUp(FEATURES);
        machine.device.detach(rings);
        machine.status(0);

        machine.device.attach(RamRegion.ofBuffer(0, ByteBuffer.allocateDirect(HALF)));
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x22);
        machine.kick(0);
        machine.pollAll();

        assertEquals(0x22, machine.answer(0));
    }

    @Test
    void aQueueGoesOnWhenItsRamMovesBetweenTwoPasses() {
        EchoMachine machine = machine(echo -> echo.restingAfter(1));
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.pollAll();
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        machine.device.poll(0);

        move(machine, rings, ringBytes);
        move(machine, buffers, bufferBytes);
        machine.pollAll();
        machine.offer(queue, 1, 0x22);
        machine.kick(0);
        machine.pollAll();

        assertEquals(0x11, machine.answer(0));
        assertEquals(0x22, machine.answer(1));
        assertEquals(EchoMachine.DRIVER_OK, machine.status());
    }

    private void move(EchoMachine machine, RamRegion from, ByteBuffer bytes) {
        byte[] elsewhere = new byte[HALF];
        machine.controller()
                .betweenPasses(
                        () -> {
                            bytes.get(0, elsewhere);
                            memory.detach(from);
                            memory.attach(RamRegion.ofArray(from.gpa(), elsewhere));
                        });
        for (int i = 0; i < HALF; i++) {
            bytes.put(i, (byte) 0xEE);
        }
    }

    @Test
    void refusesWhatTheTableRefuses() {
        EchoMachine machine = machine(echo -> echo);
        RamRegion other = RamRegion.ofArray(0, new byte[HALF]);

        assertThrows(IllegalStateException.class, () -> machine.device.attach(other));
        assertThrows(IllegalArgumentException.class, () -> machine.device.detach(other));
    }

    @Test
    void refusesToBeCalledFromInsideAPass() {
        AtomicReference<EchoMachine> self = new AtomicReference<>();
        AtomicReference<RuntimeException> refusal = new AtomicReference<>();
        EchoMachine machine =
                machine(
                        echo ->
                                echo.beforeEach(
                                        () -> {
                                            try {
                                                self.get().device.detach(rings);
                                            } catch (IllegalStateException e) {
                                                refusal.set(e);
                                            }
                                        }));
        self.set(machine);
        DriverQueue queue = machine.bringUp(FEATURES);

        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        machine.pollAll();

        assertTrue(refusal.get().getMessage().contains("not from inside a pass"));
        assertEquals(0x11, machine.answer(0));
    }

    @Test
    void whatIsRefusedBecauseAnotherThreadIsInAPassNeverHappens() throws InterruptedException {
        AtomicBoolean inPass = new AtomicBoolean();
        AtomicBoolean mayGoOn = new AtomicBoolean();
        EchoMachine machine =
                machine(
                        echo ->
                                echo.beforeEach(
                                        () -> {
                                            inPass.set(true);
                                            Spin.until(mayGoOn::get);
                                        }));
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        Thread stranger = new Thread(machine::pollAll);
        stranger.start();
        Spin.until(inPass::get);

        assertThrows(IllegalStateException.class, () -> machine.device.detach(buffers));
        mayGoOn.set(true);
        stranger.join();
        machine.pollAll();

        assertTrue(buffers.isAttached());
        assertEquals(0x11, machine.answer(0));
    }

    @Test
    void waitsForThePassOfAnotherThread() {
        AtomicBoolean inPass = new AtomicBoolean();
        AtomicBoolean mayGoOn = new AtomicBoolean();
        AtomicBoolean detached = new AtomicBoolean();
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine machine =
                    new EchoMachine(
                            memory,
                            echo ->
                                    echo.beforeEach(
                                            () -> {
                                                inPass.set(true);
                                                Spin.until(mayGoOn::get);
                                            }),
                            Ownership.OWN_THREAD,
                            owner,
                            level -> {});
            owner.start(machine.controller());
            DriverQueue queue = machine.bringUp(FEATURES);
            machine.offer(queue, 0, 0x11);
            machine.kick(0);
            Spin.until(inPass::get);
            Thread detacher =
                    new Thread(
                            () -> {
                                machine.device.detach(buffers);
                                detached.set(true);
                            });

            detacher.start();
            for (int i = 0; i < 100_000; i++) {
                Thread.onSpinWait();
            }
            assertFalse(detached.get());
            mayGoOn.set(true);
            Spin.until(detached::get);

            assertEquals(0x11, bufferBytes.get(8) & 0xFF);
        }
    }

    @Test
    void anOwnerOfAnotherMachineOnTheSameRamSeesItInItsNextPass() {
        EchoMachine one = machine(echo -> echo);
        EchoMachine other = machine(echo -> echo);
        one.bringUp(FEATURES);
        one.pollAll();

        one.controller().betweenPasses(() -> other.device.detach(rings));
        assertEquals(EchoMachine.DRIVER_OK, one.status());
        one.pollAll();

        assertEquals(EchoMachine.NEEDS_RESET, one.status() & EchoMachine.NEEDS_RESET);
    }
}
