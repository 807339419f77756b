package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/**
 * When the register write returns, the device has let go of the ring, though another thread was at
 * work on it (RESET-DEV-02, RESET-DEV-03; QueueReady = 0 likewise).
 *
 * <p>Shows its bug when the hand-over does not wait for the owner.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ResetDuringTrafficTest {
    private static final int ROUNDS = 300;
    private static final int SLOTS = 64;
    private static final long POISON = 0xA5A5_A5A5_A5A5_A5A5L;
    private static final long FEATURES = Feature.VERSION_1;

    static LongStream seeds() {
        return Seeds.first(3);
    }

    private static EchoMachine machine(OwnerThread owner, Runnable beforeEach) {
        EchoMachine machine =
                new EchoMachine(
                        echo -> echo.withQueues(2, 2 * SLOTS).beforeEach(beforeEach),
                        Ownership.OWN_THREAD,
                        owner);
        owner.start(machine.controller());
        return machine;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nothingIsTouchedAfterAReset(long seed) {
        nothingIsTouchedAfter(seed, machine -> machine.status(0));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nothingIsTouchedAfterAQueueWasStopped(long seed) {
        nothingIsTouchedAfter(seed, machine -> machine.write(MmioRegister.QUEUE_READY, 0));
    }

    private static void nothingIsTouchedAfter(long seed, Consumer<EchoMachine> stop) {
        Random random = new Random(seed);
        Rendezvous middle = new Rendezvous();
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine machine = machine(owner, middle::ownerPasses);
            for (int round = 0; round < ROUNDS; round++) {
                machine.status(0);
                middle.meetAt(random.nextInt(SLOTS));
                DriverQueue queue = machine.bringUp(FEATURES);
                for (int slot = 0; slot < SLOTS; slot++) {
                    machine.offer(queue, slot, slot + 1);
                }
                machine.kick(0);
                middle.await();

                stop.accept(machine);

                poison(machine);
                machine.kick(0);
                owner.awaitPolls(2);
                checkPoison(machine, Seeds.replay(seed) + ", round=" + round);
            }
        }
    }

    /** Where the owner is in the middle of its pass and the register thread goes on with it. */
    private static final class Rendezvous {
        private final AtomicInteger buffersLeft = new AtomicInteger(-1);
        private final AtomicBoolean waiting = new AtomicBoolean();

        void meetAt(int buffers) {
            buffersLeft.set(buffers);
        }

        void await() {
            Spin.until(waiting::get);
            waiting.set(false);
        }

        void ownerPasses() {
            if (buffersLeft.get() >= 0 && buffersLeft.getAndDecrement() == 0) {
                waiting.set(true);
                Spin.until(() -> !waiting.get());
            }
        }
    }

    private static void poison(EchoMachine machine) {
        machine.ram.fill(0, ringBytes(), (byte) POISON);
        machine.ram.fill(EchoMachine.BUFFERS, SLOTS * 16L, (byte) POISON);
    }

    private static long ringBytes() {
        return (QueueAddresses.blockBytes(2 * SLOTS) + 7) & ~7L;
    }

    private static void checkPoison(EchoMachine machine, String which) {
        for (long at = 0; at < ringBytes(); at += 8) {
            assertEquals(POISON, machine.ram.getLong(at), which + ", ring at=" + at);
        }
        for (long at = 0; at < SLOTS * 16L; at += 8) {
            long gpa = EchoMachine.BUFFERS + at;
            assertEquals(POISON, machine.ram.getLong(gpa), which + ", buffer at=" + at);
        }
    }

    @Test
    void nothingIsToldAfterAReset() {
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine machine = machine(owner, () -> {});
            for (int round = 0; round < ROUNDS; round++) {
                DriverQueue queue = machine.bringUp(FEATURES);
                for (int slot = 0; slot < SLOTS; slot++) {
                    machine.offer(queue, slot, 1);
                    machine.kick(0);
                }
                machine.controller().execute(machine.controller()::configChanged);

                machine.status(0);

                machine.irq.claim();
                machine.controller().execute(machine.controller()::configChanged);
                owner.awaitPolls(2);
                assertEquals(0, machine.read(MmioRegister.INTERRUPT_STATUS), "round=" + round);
                assertFalse(machine.irq.claim(), "round=" + round);
                assertFalse(machine.irq.level(), "round=" + round);
            }
        }
    }

    @Test
    void anEnabledQueueIsServedByTheOwner() {
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine machine = machine(owner, () -> {});
            DriverQueue queue = machine.bringUp(FEATURES);

            machine.offer(queue, 0, 0x1122);
            machine.kick(0);
            Spin.until(() -> queue.poll() != DriverQueue.NONE);

            assertEquals(0x1122, machine.answer(0));
        }
    }

    @Test
    void aResetAfterTheOwnerHasGoneIsDoneByTheCaller() {
        EchoMachine machine;
        DriverQueue queue;
        try (OwnerThread owner = new OwnerThread()) {
            machine = machine(owner, () -> {});
            queue = machine.bringUp(FEATURES);
            machine.offer(queue, 0, 1);
        }

        machine.kick(0);
        machine.status(0);

        assertEquals(0, machine.status());
        assertTrue(machine.echo.told().contains("reset"));
    }
}
