package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.virtio.testkit.LatchingInterruptController;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * The owner raises causes while the register thread acknowledges them.
 *
 * <p>Shows its bug when the line is driven from causes that were read before (level), by both
 * threads at once (overlap), or when raising and acknowledging are not atomic (lost cause).
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class InterruptRaceTest {
    private static final int USED = 1;
    private static final int CONFIG = 2;
    private static final int ROUNDS = 5_000;

    private final LatchingInterruptController irq = new LatchingInterruptController();

    // Each round both threads do one thing at the same time; then the line must say what the causes
    // say.
    @Test
    void lineFollowsTheCausesAfterEveryRace() throws Exception {
        InterruptRegister register = new InterruptRegister(irq);
        SpinBarrier barrier = new SpinBarrier();
        Thread owner =
                new Thread(
                        () -> {
                            for (int round = 0; round < ROUNDS; round++) {
                                barrier.await();
                                register.usedBuffer(0);
                                barrier.await();
                                barrier.await();
                            }
                        });
        owner.start();

        int wrong = 0;
        for (int round = 0; round < ROUNDS; round++) {
            register.usedBuffer(0);
            barrier.await();
            register.acknowledge(USED);
            barrier.await();
            wrong += irq.level() == (register.causes() != 0) ? 0 : 1;
            barrier.await();
        }
        owner.join();

        assertEquals(0, wrong);
    }

    @Test
    void acknowledgingOneCauseLosesNoOther() throws Exception {
        InterruptRegister register = new InterruptRegister(irq);
        SpinBarrier barrier = new SpinBarrier();
        Thread owner =
                new Thread(
                        () -> {
                            for (int round = 0; round < ROUNDS; round++) {
                                barrier.await();
                                register.configChanged();
                                barrier.await();
                                barrier.await();
                            }
                        });
        owner.start();

        int wrong = 0;
        for (int round = 0; round < ROUNDS; round++) {
            register.acknowledge(CONFIG);
            register.usedBuffer(0);
            barrier.await();
            register.acknowledge(USED);
            barrier.await();
            wrong += register.causes() == CONFIG && irq.level() ? 0 : 1;
            barrier.await();
        }
        owner.join();

        assertEquals(0, wrong);
    }

    @RepeatedTest(3)
    void lineIsDrivenByOneThreadAtATime() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        InterruptRegister register =
                new InterruptRegister(
                        level -> {
                            overlaps.addAndGet(inside.getAndIncrement() == 0 ? 0 : 1);
                            irq.set(level);
                            inside.decrementAndGet();
                        });
        Thread owner =
                new Thread(
                        () -> {
                            for (int round = 0; round < 20_000; round++) {
                                register.usedBuffer(0);
                            }
                        });
        owner.start();

        while (owner.isAlive()) {
            register.acknowledge(USED);
        }
        register.acknowledge(USED);

        assertEquals(0, overlaps.get());
        assertFalse(irq.level());
    }

    // A driver on a latching controller: claim, read, acknowledge, then look at what happened. It
    // sleeps between interrupts, so an interrupt that is lost is an event that is never seen.
    @Test
    void everyEventReachesADriverThatSleepsBetweenInterrupts() throws Exception {
        InterruptRegister register = new InterruptRegister(irq);
        AtomicInteger used = new AtomicInteger();
        AtomicInteger changed = new AtomicInteger();
        Thread owner =
                new Thread(
                        () -> {
                            for (int round = 0; round < ROUNDS; round++) {
                                used.incrementAndGet();
                                register.usedBuffer(0);
                                changed.incrementAndGet();
                                register.configChanged();
                            }
                        });
        owner.start();

        int usedSeen = 0;
        int changedSeen = 0;
        while (usedSeen < ROUNDS || changedSeen < ROUNDS) {
            Spin.until(irq::claim);
            int causes = register.causes();
            register.acknowledge(causes);
            usedSeen = (causes & USED) != 0 ? used.get() : usedSeen;
            changedSeen = (causes & CONFIG) != 0 ? changed.get() : changedSeen;
        }
        owner.join();

        register.acknowledge(register.causes());
        assertFalse(irq.level());
    }

    /** A meeting of two threads that lets both go at the same moment. */
    private static final class SpinBarrier {
        private final AtomicInteger arrivals = new AtomicInteger();

        void await() {
            int goal = (arrivals.getAndIncrement() | 1) + 1;
            Spin.until(() -> arrivals.get() - goal >= 0);
        }
    }
}
