package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.OwnerThread;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** What the handler of an interrupt, run inside the line, must not be able to break. */
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ReentrantResetTest {
    private static final long FEATURES = Feature.VERSION_1;

    private EchoMachine machine;
    private Runnable inInterrupt = () -> {};

    private void interrupt(boolean level) {
        if (level) {
            Runnable action = inInterrupt;
            inInterrupt = () -> {};
            action.run();
        }
    }

    private DriverQueue bringUp(Ownership ownership) {
        machine = new EchoMachine(echo -> echo, ownership, () -> {}, this::interrupt);
        return machine.bringUp(FEATURES);
    }

    // A host that polls once a step, not until nothing is left.
    @Test
    void aResetFromInsideAPassDoesNotHitTheDriverThatComesNext() {
        DriverQueue queue = bringUp(Ownership.REGISTER_THREAD);
        machine.offer(queue, 0, 1);
        inInterrupt = () -> machine.status(0);
        machine.controller().poll(0);

        DriverQueue again = machine.bringUp(FEATURES);
        machine.offer(again, 0, 0x3344);
        machine.kick(0);
        machine.pollAll();

        assertEquals(0x3344, machine.answer(0));
    }

    // RESET-DEV-02, RESET-DEV-03
    @Test
    void aResetFromInsideAPassEndsThePassForTheOtherQueues() {
        DriverQueue queue = bringUp(Ownership.REGISTER_THREAD);
        DriverQueue other = machine.driverQueue(1, FEATURES);
        machine.enable(1);
        machine.offer(queue, 0, 1);
        machine.offer(other, 1, 1);
        inInterrupt = () -> machine.status(0);

        machine.controller().poll(0);

        assertEquals(0, machine.usedIdx(1));
    }

    // MMIO-DEV-05, MMIO-DEV-06
    @Test
    void aResetFromInsideAPassLeavesNoCauseBehind() {
        DriverQueue queue = bringUp(Ownership.REGISTER_THREAD);
        DriverQueue other = machine.driverQueue(1, FEATURES);
        machine.enable(1);
        machine.offer(queue, 0, 1);
        machine.offer(other, 1, 1);
        inInterrupt = () -> machine.status(0);

        machine.pollAll();

        assertEquals(0, machine.read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(machine.irq.level());
    }

    // RESET-DEV-02
    @Test
    void aPassThatAResetHasOvertakenKeepsQuiet() {
        machine =
                new EchoMachine(
                        echo -> echo.publishingEach(),
                        Ownership.REGISTER_THREAD,
                        () -> {},
                        this::interrupt);
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 1);
        machine.offer(queue, 1, 1);
        inInterrupt = () -> machine.status(0);

        machine.pollAll();

        assertEquals(0, machine.read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(machine.irq.level());
    }

    @Test
    void aResetFromInsideAPassIsDoneWhenThePassEnds() {
        DriverQueue queue = bringUp(Ownership.REGISTER_THREAD);
        machine.offer(queue, 0, 1);
        inInterrupt = () -> machine.status(0);

        machine.controller().poll(0);

        List<String> told = machine.echo.told();
        assertEquals("reset", told.get(told.size() - 1));
    }

    // The handler of an interrupt that loops on a register must not fill the host's memory.
    @Test
    void manyResetsFromInsideAPassAreOneWhenItEnds() {
        DriverQueue queue = bringUp(Ownership.REGISTER_THREAD);
        machine.offer(queue, 0, 1);
        inInterrupt =
                () -> {
                    for (int i = 0; i < 10_000; i++) {
                        machine.status(0);
                        machine.bringUp(FEATURES);
                        machine.write(MmioRegister.QUEUE_READY, 0);
                        machine.enable(0);
                    }
                };

        machine.controller().poll(0);

        List<String> told = machine.echo.told();
        assertEquals(
                List.of("reset", "activate 0x100000000", "enabled 0 size 8"),
                told.subList(told.size() - 3, told.size()));
        assertEquals(6, told.size());
    }

    @Test
    void aQueueThatIsStoppedAndStartedFromInsideAPassHasANewRing() {
        DriverQueue queue = bringUp(Ownership.REGISTER_THREAD);
        machine.offer(queue, 0, 1);
        DriverQueue[] again = new DriverQueue[1];
        inInterrupt =
                () -> {
                    machine.write(MmioRegister.QUEUE_READY, 0);
                    again[0] = machine.driverQueue(0, FEATURES);
                    machine.enable(0);
                    machine.offer(again[0], 2, 0x5566);
                };

        machine.pollAll();

        assertEquals(0x5566, machine.answer(2));
        assertEquals(EchoMachine.DRIVER_OK, machine.status());
        assertTrue(machine.echo.told().contains("disabled 0"));
    }

    @Test
    void whatWasPostedBeforeAResetRunsBeforeIt() {
        machine = new EchoMachine();
        List<Integer> toldBefore = new ArrayList<>();
        machine.controller().execute(() -> toldBefore.add(machine.echo.told().size()));

        machine.status(0);

        assertEquals(List.of(1), toldBefore);
    }

    @Test
    void aResetOnTheOwnersThreadDoesNotWaitForItself() {
        try (OwnerThread owner = new OwnerThread()) {
            EchoMachine own = new EchoMachine(echo -> echo, Ownership.OWN_THREAD, owner);
            owner.start(own.controller());
            own.bringUp(FEATURES);
            AtomicInteger done = new AtomicInteger();

            own.controller()
                    .execute(
                            () -> {
                                own.device.reset();
                                done.incrementAndGet();
                            });
            own.status(0);

            assertEquals(1, done.get());
        }
    }

    // STATUS-DESC-01
    @Test
    void aFaultAfterAResetFromInsideAPassDoesNotBreakTheNewStatus() {
        DriverQueue queue = bringUp(Ownership.REGISTER_THREAD);
        long available = machine.place(0).availableRing();
        machine.offer(queue, 0, 1);
        machine.ram.putShort(available + 6, 8);
        machine.ram.putShort(available + 2, 2);
        inInterrupt = () -> machine.status(0);

        machine.pollAll();

        assertEquals(0, machine.status());
    }

    @Test
    void anAcknowledgementOfNothingDoesNotDriveTheLine() {
        List<Boolean> levels = new ArrayList<>();
        InterruptRegister register = new InterruptRegister(levels::add);
        register.usedBuffer(0);

        register.acknowledge(0);
        register.acknowledge(2);
        register.acknowledge(~3);

        assertEquals(List.of(true), levels);
    }

    // A guest that acknowledges what is not there, again and again, holds the owner for ever.
    @Test
    void aHandlerThatAcknowledgesNothingDoesNotKeepTheOwner() {
        AtomicInteger calls = new AtomicInteger();
        InterruptRegister[] self = new InterruptRegister[1];
        self[0] =
                new InterruptRegister(
                        level -> {
                            if (calls.incrementAndGet() < 1000) {
                                self[0].acknowledge(4);
                            }
                        });

        self[0].usedBuffer(0);

        assertEquals(1, calls.get());
    }
}
