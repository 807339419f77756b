package io.aerostat.virtio.transport.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.EchoMachine;
import io.aerostat.virtio.testkit.LatchingInterruptController;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;

/** InterruptStatus, InterruptACK and the line (VIRTIO 1.4, 4.2.2, 4.2.3.4), one thread. */
final class InterruptTest {
    private static final int USED = 1;
    private static final int CONFIG = 2;

    private final LatchingInterruptController irq = new LatchingInterruptController();
    private final InterruptRegister register = new InterruptRegister(irq);

    @Test
    @DisplayName("MMIO-DEV-05: bits without an event are 0")
    void hasNoCausesAtFirst() {
        assertEquals(0, register.causes());
        assertFalse(irq.level());
    }

    @Test
    @DisplayName("MMIO-DESC-09, MMIO-DEV-03: each event sets its bit when it happens")
    void tellsUsedBuffersFromConfigurationChanges() {
        register.usedBuffer(5);
        assertEquals(USED, register.causes());

        register.configChanged();
        assertEquals(USED | CONFIG, register.causes());
    }

    @Test
    @DisplayName("MMIO-DEV-04: a bit stays on until it is acknowledged")
    void keepsACauseThatIsReadAgainAndAgain() {
        register.usedBuffer(0);

        for (int i = 0; i < 3; i++) {
            assertEquals(USED, register.causes());
        }
    }

    @Test
    @DisplayName("MMIO-DESC-10: an acknowledgement clears the bits that it names")
    void clearsTheNamedCausesAlone() {
        register.usedBuffer(0);
        register.configChanged();

        register.acknowledge(USED);

        assertEquals(CONFIG, register.causes());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 8, Integer.MIN_VALUE, ~3})
    void ignoresAcknowledgementsOfBitsThatAreOff(int mask) {
        register.usedBuffer(0);

        register.acknowledge(mask);

        assertEquals(USED, register.causes());
        assertTrue(irq.level());
    }

    @Test
    @DisplayName("MMIO-DESC-15: the line is high while any bit is on")
    void holdsTheLineUntilTheLastCauseIsAcknowledged() {
        register.usedBuffer(0);
        register.configChanged();

        register.acknowledge(USED);
        assertTrue(irq.level());
        register.acknowledge(CONFIG);
        assertFalse(irq.level());
    }

    @Test
    void raisesTheLineAgainForAnEventAfterTheAcknowledgement() {
        register.usedBuffer(0);
        register.acknowledge(USED);

        register.usedBuffer(0);

        assertEquals(USED, register.causes());
        assertTrue(irq.level());
    }

    // The processor has claimed the interrupt of the used buffer, and then the configuration
    // changes.
    @Test
    void tellsALatchingControllerOfAChangeWhileTheUsedBufferBitIsOn() {
        register.usedBuffer(0);
        irq.claim();

        register.configChanged();

        assertTrue(irq.claim());
    }

    @Test
    void tellsALatchingControllerOfWhatAnAcknowledgementLeaves() {
        register.usedBuffer(0);
        register.configChanged();
        irq.claim();

        register.acknowledge(USED);

        assertTrue(irq.claim());
    }

    @Test
    void tellsALatchingControllerOfASecondEventOfTheSameKind() {
        register.usedBuffer(0);
        irq.claim();

        register.usedBuffer(1);

        assertTrue(irq.claim());
    }

    @Test
    void doesNotLatchWhenTheLastCauseIsAcknowledged() {
        register.usedBuffer(0);
        irq.claim();

        register.acknowledge(USED);

        assertFalse(irq.claim());
    }

    // A handler that runs inside the call, as in an emulator that takes interrupts at once.
    @Test
    void endsLowWhenTheHandlerAcknowledgesFromInsideTheLine() {
        List<Boolean> levels = new ArrayList<>();
        InterruptRegister[] self = new InterruptRegister[1];
        self[0] =
                new InterruptRegister(
                        level -> {
                            levels.add(level);
                            if (level) {
                                self[0].acknowledge(self[0].causes());
                            }
                        });

        self[0].usedBuffer(0);

        assertEquals(0, self[0].causes());
        assertEquals(List.of(true, false), levels);
    }

    @Test
    void losesNoCauseThatIsRaisedFromInsideTheLine() {
        List<Boolean> levels = new ArrayList<>();
        InterruptRegister[] self = new InterruptRegister[1];
        self[0] =
                new InterruptRegister(
                        level -> {
                            levels.add(level);
                            if (levels.size() == 1) {
                                self[0].acknowledge(USED);
                                self[0].configChanged();
                            }
                        });

        self[0].usedBuffer(0);

        assertEquals(CONFIG, self[0].causes());
        assertEquals(List.of(true, true), levels);
    }

    @Test
    void reachesTheGuestThroughTheRegisters() {
        EchoMachine machine = new EchoMachine();
        DriverQueue queue = machine.bringUp(Feature.VERSION_1);
        machine.offer(queue, 0, 1);
        machine.pollAll();
        machine.controller().configChanged();

        assertEquals(3, machine.read(MmioRegister.INTERRUPT_STATUS));
        machine.write(MmioRegister.INTERRUPT_ACK, USED);
        assertEquals(2, machine.read(MmioRegister.INTERRUPT_STATUS));
        machine.write(MmioRegister.INTERRUPT_ACK, CONFIG);
        assertEquals(0, machine.read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(machine.irq.level());
    }

    @Test
    void staysQuietForADriverThatAskedNotToBeInterrupted() {
        EchoMachine machine = new EchoMachine();
        DriverQueue queue = machine.bringUp(Feature.VERSION_1);
        queue.disarm();
        machine.offer(queue, 0, 1);
        machine.pollAll();

        assertEquals(1, machine.usedIdx(0));
        assertEquals(0, machine.read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(machine.irq.claim());
    }

    @Test
    void drivesALineAgainThatHasThrown() {
        boolean[] broken = {true};
        List<Boolean> levels = new ArrayList<>();
        InterruptRegister register =
                new InterruptRegister(
                        level -> {
                            if (broken[0]) {
                                throw new IllegalStateException("the line is broken");
                            }
                            levels.add(level);
                        });
        assertThrows(IllegalStateException.class, () -> register.usedBuffer(0));

        broken[0] = false;
        register.configChanged();

        assertEquals(List.of(true), levels);
    }
}
