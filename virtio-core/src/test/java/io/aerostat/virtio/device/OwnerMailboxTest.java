package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Spin;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Commands to the owner: who runs them, when, and that nobody waits for one who has gone. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OwnerMailboxTest {
    private static final int ROUNDS = 3_000;

    private final List<String> ran = new ArrayList<>();

    @Test
    void runsCommandsInTheNextPollInOrder() {
        EchoMachine machine = new EchoMachine();

        machine.controller().execute(() -> ran.add("first"));
        machine.controller().execute(() -> ran.add("second"));

        assertEquals(List.of(), ran);
        assertNotEquals(0, machine.controller().poll(0));
        assertEquals(List.of("first", "second"), ran);
        assertEquals(0, machine.controller().poll(0));
    }

    @Test
    void ringsTheDoorbellForACommand() {
        EchoMachine machine = new EchoMachine();

        machine.controller().execute(() -> {});

        assertEquals(1, machine.rings.get());
    }

    @Test
    void runsInTheSamePollWhatACommandPosts() {
        EchoMachine machine = new EchoMachine();
        DeviceController controller = machine.controller();

        controller.execute(() -> controller.execute(() -> ran.add("second")));
        machine.pollAll();

        assertEquals(List.of("second"), ran);
    }

    @Test
    void aPollInsideAPassDoesNothing() {
        EchoMachine machine = new EchoMachine();
        DeviceController controller = machine.controller();
        AtomicInteger inner = new AtomicInteger(-1);

        controller.execute(() -> inner.set(controller.poll(0)));
        machine.pollAll();

        assertEquals(0, inner.get());
    }

    @Test
    void handsOverAtOnceWhenTheRegisterThreadIsTheOwner() {
        OwnerMailbox mailbox = new OwnerMailbox(Ownership.REGISTER_THREAD, () -> {});

        mailbox.handOver(() -> ran.add("done"));

        assertEquals(List.of("done"), ran);
    }

    @Test
    void keepsAHandOverFromInsideAPassForLater() {
        OwnerMailbox mailbox = new OwnerMailbox(Ownership.REGISTER_THREAD, () -> {});

        assertTrue(mailbox.tryEnter());
        mailbox.handOver(() -> ran.add("done"));
        mailbox.leave();

        assertEquals(List.of(), ran);
        assertFalse(mailbox.isEmpty());
        assertEquals(1, mailbox.drain());
        assertEquals(List.of("done"), ran);
    }

    @Test
    void handOverRunsOnTheOwner() throws InterruptedException {
        OwnerMailbox mailbox = new OwnerMailbox(Ownership.OWN_THREAD, () -> {});
        AtomicReference<Thread> runner = new AtomicReference<>();
        Thread owner = new Thread(() -> drainUntilSomethingRan(mailbox), "owner");
        owner.start();

        mailbox.handOver(() -> runner.set(Thread.currentThread()));

        assertEquals(owner, runner.get());
        owner.join();
    }

    private static void drainUntilSomethingRan(OwnerMailbox mailbox) {
        Spin.until(
                () -> {
                    boolean ran = mailbox.tryEnter() && mailbox.drain() != 0;
                    mailbox.leave();
                    return ran;
                });
    }

    @Test
    void aHandOverIsDoneWhenItReturns() {
        AtomicInteger count = new AtomicInteger();
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine machine = new EchoMachine(echo -> echo, Ownership.OWN_THREAD, owner);
            owner.start(machine.controller());

            for (int i = 1; i <= ROUNDS; i++) {
                machine.status(1);
                machine.controller().execute(count::incrementAndGet);
                machine.status(0);

                // Whatever was posted before the reset ran before it.
                assertEquals(i, count.get());
            }
        }
    }

    @Test
    void aHandOverToAnOwnerThatHasStoppedRunsOnTheCaller() {
        EchoMachine machine = new EchoMachine(echo -> echo, Ownership.OWN_THREAD, () -> {});
        machine.controller().ownerStopped();

        machine.controller().execute(() -> ran.add("left over"));
        machine.status(0);

        assertEquals(List.of("left over"), ran);
        assertEquals(List.of("attached", "reset"), machine.echo.told());
    }

    @Test
    void aHandOverIsNotStuckWhenTheOwnerStopsMeanwhile() {
        for (int i = 0; i < 100; i++) {
            try (OwnerThread owner = new OwnerThread()) {
                EchoMachine machine = new EchoMachine(echo -> echo, Ownership.OWN_THREAD, owner);
                owner.start(machine.controller());
                Thread closer = new Thread(owner::close, "closer");
                closer.start();

                machine.status(0);
                machine.status(0);

                assertEquals(List.of("attached", "reset", "reset"), machine.echo.told());
            }
        }
    }

    @Test
    void neverRunsTwoAtATimeWhenTheOwnerStopsMeanwhile() {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Runnable watched =
                () -> {
                    most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                    inside.decrementAndGet();
                };
        for (int i = 0; i < 100; i++) {
            try (OwnerThread owner = new OwnerThread()) {
                EchoMachine machine = new EchoMachine(echo -> echo, Ownership.OWN_THREAD, owner);
                owner.start(machine.controller());
                for (int j = 0; j < 100; j++) {
                    machine.controller().execute(watched);
                }
                machine.controller().ownerStopped();

                machine.status(0);
            }
        }

        assertEquals(1, most.get());
    }
}
