package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.transport.mmio.RegisterWindow;
import io.aerostat.vmm.vm.SetMemoryOutcome.Partial;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reached;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Refused;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;
import io.aerostat.vmm.vm.SetMemoryOutcome.Superseded;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Every way in which setMemory can end, on a virtual clock. */
final class SetMemoryTest {
    private static final Duration DEADLINE = Duration.ofMillis(500);

    @Test
    void reachesASmallerSizeAndTheGreaterOneAgain() {
        try (Machine machine = new Machine().booted()) {
            CompletableFuture<SetMemoryOutcome> down = machine.vm.setMemory(Machine.HALF, DEADLINE);
            machine.stepFor(100);
            CompletableFuture<SetMemoryOutcome> up =
                    machine.vm.setMemory(Machine.MAXIMUM, DEADLINE);
            machine.stepFor(100);

            assertEquals(new Reached(Machine.HALF.balloonWithin(Machine.MAXIMUM)), down.join());
            assertEquals(new Reached(new BalloonSize(0)), up.join());
        }
    }

    @Test
    void saysTheNewSizeOnceItIsReached() {
        try (Machine machine = new Machine().booted()) {
            var _ = machine.vm.setMemory(Machine.HALF, DEADLINE);
            machine.stepFor(100);

            assertEquals(Machine.HALF, machine.vm.currentMemory());
        }
    }

    @Test
    void waitsHalfAMinuteUnlessItIsToldOtherwise() {
        try (Machine machine = new Machine()) {
            CompletableFuture<SetMemoryOutcome> outcome = machine.vm.setMemory(Machine.HALF);
            machine.stepFor(30_000);
            assertFalse(outcome.isDone());

            machine.step();

            assertEquals(new Stalled(Reason.NO_DRIVER), outcome.join());
        }
    }

    @Test
    void aDeadlineThatIsOverSaysAtOnceHowItStands() {
        try (Machine machine = new Machine().booted()) {
            CompletableFuture<SetMemoryOutcome> outcome =
                    machine.vm.setMemory(Machine.HALF, Duration.ZERO);
            machine.stepHost();

            assertEquals(new Stalled(Reason.NO_RESPONSE), outcome.join());
            machine.stepFor(100);
            assertEquals(Machine.HALF, machine.vm.currentMemory());
        }
    }

    @Test
    void stallsForWantOfADriver() {
        try (Machine machine = new Machine()) {
            CompletableFuture<SetMemoryOutcome> outcome =
                    machine.vm.setMemory(Machine.HALF, DEADLINE);
            machine.stepFor(600);

            assertEquals(new Stalled(Reason.NO_DRIVER), outcome.join());
        }
    }

    @Test
    void stallsWhenTheDriverDoesNotAnswer() {
        try (Machine machine = new Machine().booted()) {
            CompletableFuture<SetMemoryOutcome> outcome =
                    machine.vm.setMemory(Machine.HALF, DEADLINE);
            for (int i = 0; i < 600; i++) {
                machine.stepHost();
            }

            assertEquals(new Stalled(Reason.NO_RESPONSE), outcome.join());
        }
    }

    @Test
    void isNotDoneBeforeItsDeadline() {
        try (Machine machine = new Machine()) {
            CompletableFuture<SetMemoryOutcome> outcome =
                    machine.vm.setMemory(Machine.HALF, DEADLINE);
            machine.stepFor(400);

            assertFalse(outcome.isDone());
        }
    }

    @Test
    void saysHowMuchMovedWhenTheGuestRunsOutOfPages() {
        try (Machine machine = new Machine().booted()) {
            var _ =
                    machine.guest.call(
                            guest -> guest.workload().grow(Machine.MAXIMUM.pages() * 3 / 4));
            machine.step();

            CompletableFuture<SetMemoryOutcome> outcome =
                    machine.vm.setMemory(Machine.HALF, DEADLINE);
            machine.stepFor(600);

            Partial partial = assertInstanceOf(Partial.class, outcome.join());
            assertEquals(Reason.OUT_OF_PAGES, partial.reason());
            assertEquals(machine.balloon().ledgerPages() << 12, partial.movedBytes());
            assertTrue(partial.movedBytes() > 14L << 20, "moved: " + partial.movedBytes());
        }
    }

    @Test
    void goesOnAfterItsDeadlineWhenTheGuestHasPagesAgain() {
        try (Machine machine = new Machine().booted()) {
            var _ =
                    machine.guest.call(
                            guest -> guest.workload().grow(Machine.MAXIMUM.pages() * 3 / 4));
            machine.step();
            var _ = machine.vm.setMemory(Machine.HALF, DEADLINE);
            machine.stepFor(600);

            var _ =
                    machine.guest.call(
                            guest -> guest.workload().shrink(Machine.MAXIMUM.pages() / 2, 8));
            machine.stepFor(300);

            assertEquals(Machine.HALF, machine.vm.currentMemory());
        }
    }

    @Test
    void isSupersededByALaterCall() {
        try (Machine machine = new Machine().booted()) {
            CompletableFuture<SetMemoryOutcome> first =
                    machine.vm.setMemory(Machine.HALF, DEADLINE);
            CompletableFuture<SetMemoryOutcome> second =
                    machine.vm.setMemory(Machine.FLOOR, DEADLINE);
            machine.stepFor(100);

            assertInstanceOf(Superseded.class, first.join());
            assertInstanceOf(Reached.class, second.join());
        }
    }

    @Test
    void refusesASizeBelowTheFloor() {
        try (Machine machine = new Machine().booted()) {
            GuestSize tooSmall = new GuestSize(Machine.FLOOR.bytes() - 4096);

            assertEquals(
                    new Refused(Reason.BELOW_FLOOR),
                    machine.vm.setMemory(tooSmall, DEADLINE).join());
            machine.stepFor(10);
            assertEquals(0, machine.balloon().targetPages());
        }
    }

    @Test
    void refusesWithoutABalloonDevice() {
        try (Machine machine = new Machine(Optional.empty())) {
            assertEquals(
                    new Refused(Reason.NO_DEVICE),
                    machine.vm.setMemory(Machine.HALF, DEADLINE).join());
        }
    }

    @Test
    void throwsForASizeAboveTheMaximum() {
        try (Machine machine = new Machine()) {
            GuestSize tooLarge = new GuestSize(Machine.MAXIMUM.bytes() + 4096);

            assertThrows(
                    IllegalArgumentException.class, () -> machine.vm.setMemory(tooLarge, DEADLINE));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-0.000000001S", "P366D", "P999999D"})
    void throwsForADeadlineThatIsNone(String deadline) {
        try (Machine machine = new Machine()) {
            Duration none = Duration.parse(deadline);

            assertThrows(
                    IllegalArgumentException.class, () -> machine.vm.setMemory(Machine.HALF, none));
            assertThrows(IllegalArgumentException.class, () -> machine.vm.statistics(none));
        }
    }

    @Test
    void endsWhenTheMachineIsClosed() {
        CompletableFuture<SetMemoryOutcome> waiting;
        CompletableFuture<SetMemoryOutcome> late;
        try (Machine machine = new Machine()) {
            waiting = machine.vm.setMemory(Machine.HALF, DEADLINE);
            machine.step();
            machine.vm.close();
            late = machine.vm.setMemory(Machine.HALF, DEADLINE);
        }

        assertEquals(new Stalled(Reason.CLOSED), waiting.join());
        assertEquals(new Stalled(Reason.CLOSED), late.join());
    }

    @Test
    void saysThatTheDeviceNeedsAReset() {
        try (Machine machine = new Machine().booted()) {
            // The guest breaks its inflate ring: avail.idx jumps. The driver is not stepped, and so
            // does not recover.
            BrokenRing.breakInflateRing(machine);

            CompletableFuture<SetMemoryOutcome> outcome =
                    machine.vm.setMemory(Machine.HALF, DEADLINE);
            for (int i = 0; i < 600; i++) {
                machine.stepHost();
            }

            assertEquals(new Stalled(Reason.NEEDS_RESET), outcome.join());
        }
    }

    @Test
    void recoversFromABrokenRingAndReachesTheSize() {
        try (Machine machine = new Machine().booted()) {
            BrokenRing.breakInflateRing(machine);
            machine.stepHost();

            CompletableFuture<SetMemoryOutcome> outcome =
                    machine.vm.setMemory(Machine.HALF, Duration.ofSeconds(2));
            machine.stepFor(1000);

            assertInstanceOf(Reached.class, outcome.join());
        }
    }

    @Test
    void believesTheLedgerAndNotWhatTheGuestClaims() {
        try (Machine machine = new Machine().booted()) {
            RegisterWindow window = machine.vm.balloonWindow().orElseThrow();

            window.store(MmioRegister.CONFIG_OFFSET + 4, 4, 0xFFFF_FFFFL);
            machine.stepHost();

            assertEquals(Machine.MAXIMUM, machine.vm.currentMemory());
            assertEquals(1, machine.balloon().counters().get(BalloonCounter.FALSE_ACTUAL));
        }
    }
}
