package io.aerostat.vmm.thread;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.agrona.concurrent.Agent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class DoorbellIdleTest {
    /** So long that a lost ring would run into the timeout. */
    private static final long NEVER_NS = TimeUnit.HOURS.toNanos(1);

    @Test
    void losesNoRing() throws InterruptedException {
        int rounds = 20_000;
        AtomicInteger work = new AtomicInteger();
        DoorbellIdle there = new DoorbellIdle(NEVER_NS);
        DoorbellIdle back = new DoorbellIdle(NEVER_NS);
        Thread owner =
                new Thread(
                        () -> {
                            int answered = 0;
                            while (answered < rounds) {
                                if (work.get() > answered) {
                                    answered++;
                                    back.ring();
                                } else {
                                    there.idle();
                                }
                            }
                        });
        owner.start();

        for (int i = 0; i < rounds; i++) {
            work.incrementAndGet();
            there.ring();
            back.idle();
        }
        owner.join();

        assertEquals(rounds, work.get());
    }

    @Test
    void anOwnerThreadEndsWhenItIsClosedThoughItSleeps() {
        AtomicInteger passes = new AtomicInteger();
        DoorbellIdle idle = new DoorbellIdle(NEVER_NS);
        Agent agent =
                new Agent() {
                    @Override
                    public int doWork() {
                        passes.incrementAndGet();
                        return 0;
                    }

                    @Override
                    public String roleName() {
                        return "test-owner";
                    }
                };
        OwnerThread owner = OwnerThread.start(agent, idle, error -> {});
        while (passes.get() == 0) {
            Thread.onSpinWait();
        }

        owner.close();

        assertTrue(passes.get() >= 1);
        assertEquals(
                0,
                Thread.getAllStackTraces().keySet().stream()
                        .filter(t -> t.getName().equals("test-owner"))
                        .count());
    }
}
