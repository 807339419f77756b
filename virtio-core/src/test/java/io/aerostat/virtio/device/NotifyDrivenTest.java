package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.EchoDevice;
import io.aerostat.virtio.testkit.EchoMachine;

import org.junit.jupiter.api.Test;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A device whose work is done inside the register write that kicks. */
final class NotifyDrivenTest {
    private static final long FEATURES = Feature.VERSION_1;

    private static EchoMachine machine(UnaryOperator<EchoDevice> tailor) {
        return new EchoMachine(tailor, Ownership.NOTIFY_DRIVEN, () -> {});
    }

    private final EchoMachine machine = machine(echo -> echo);

    @Test
    void aKickIsAnsweredBeforeItReturns() {
        DriverQueue queue = machine.bringUp(FEATURES);

        machine.offer(queue, 0, 0x11);
        machine.kick(0);

        assertEquals(0x11, machine.answer(0));
        assertTrue(machine.irq.claim());
        assertEquals(0, machine.rings.get());
    }

    @Test
    void whatWasKickedTooEarlyIsAnsweredWithDriverOk() {
        machine.negotiate(FEATURES);
        DriverQueue queue = machine.driverQueue(0, FEATURES);
        machine.enable(0);
        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        assertEquals(0, machine.usedIdx(0));

        machine.status(EchoMachine.DRIVER_OK);

        assertEquals(0x11, machine.answer(0));
    }

    @Test
    void aConfigurationWriteOfSeveralPartsIsLookedAtWhenItIsWhole() {
        machine.bringUp(FEATURES);

        machine.device.store(0x100 + EchoDevice.DRIVER_FIELD, 2, 1);
        machine.device.store(0x100 + EchoDevice.DRIVER_FIELD + 2, 2, 1);
        assertFalse(machine.echo.told().contains("configWritten"));
        assertTrue(machine.rings.get() > 0);
        machine.device.poll(0);

        assertTrue(machine.echo.told().contains("configWritten"));
    }

    @Test
    void aKickDoesOnePieceAndRingsForTheRest() {
        EchoMachine slow = machine(echo -> echo.servingPerPass(2));
        DriverQueue queue = slow.bringUp(FEATURES);
        for (int slot = 0; slot < 4; slot++) {
            slow.offer(queue, slot, slot + 1);
        }

        slow.kick(0);
        assertEquals(2, slow.usedIdx(0));
        assertEquals(1, slow.rings.get());
        slow.pollAll();

        assertEquals(4, slow.usedIdx(0));
        assertEquals(4, slow.answer(3));
    }

    @Test
    void noTimeGoesByInAKick() {
        DriverQueue queue = machine.bringUp(FEATURES);

        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        assertEquals(0, machine.echo.ticks());
        machine.device.poll(5);

        assertEquals(1, machine.echo.ticks());
    }

    @Test
    void aCommandRingsAndWaitsForThePollOrTheNextKick() {
        AtomicInteger runs = new AtomicInteger();
        machine.bringUp(FEATURES);

        machine.controller().execute(runs::incrementAndGet);
        assertEquals(1, machine.rings.get());
        assertEquals(0, runs.get());
        machine.device.poll(0);
        assertEquals(1, runs.get());

        machine.controller().execute(runs::incrementAndGet);
        machine.kick(0);
        assertEquals(2, runs.get());
    }

    @Test
    void aHandlerThatKicksFromInsideIsServedByThePollThatIsRungFor() {
        DriverQueue[] queue = new DriverQueue[1];
        EchoMachine[] self = new EchoMachine[1];
        AtomicInteger offered = new AtomicInteger();
        self[0] =
                new EchoMachine(
                        echo -> echo,
                        Ownership.NOTIFY_DRIVEN,
                        () -> {},
                        level -> {
                            if (level && offered.get() < 3) {
                                self[0].offer(queue[0], offered.incrementAndGet(), 0x77);
                                self[0].kick(0);
                            }
                        });
        queue[0] = self[0].bringUp(FEATURES);

        self[0].offer(queue[0], 0, 0x11);
        self[0].kick(0);
        assertEquals(1, self[0].rings.get());
        self[0].pollAll();

        assertEquals(4, self[0].usedIdx(0));
        assertEquals(0x77, self[0].answer(3));
    }

    @Test
    void aDrainedDeviceIsQuietAndRingsWhenItGoesOn() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.controller().drain();

        machine.offer(queue, 0, 0x11);
        machine.kick(0);
        assertEquals(0, machine.usedIdx(0));
        assertEquals(0, machine.rings.get());
        machine.controller().resume();
        assertEquals(1, machine.rings.get());
        machine.pollAll();

        assertEquals(0x11, machine.answer(0));
    }

    @Test
    void aBrokenRingIsToldBeforeTheKickReturns() {
        DriverQueue queue = machine.bringUp(FEATURES);
        machine.offer(queue, 0, 0x11);
        machine.ram.putShort(machine.place(0).availableRing() + 2, 0x4000);

        machine.kick(0);

        assertEquals(EchoMachine.NEEDS_RESET, machine.status() & EchoMachine.NEEDS_RESET);
        assertTrue(machine.irq.claim());
        machine.status(0);
        assertFalse(machine.irq.level());
    }
}
