package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.balloon.DeviceLoss;
import io.aerostat.guest.balloon.DriverCounter;
import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reached;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;

import org.junit.jupiter.api.Test;

import java.util.concurrent.CompletableFuture;

/** Drivers that go and come back, devices that are reset or pulled; with real RAM. */
final class DeviceLossMachineTest {
    /** Few pages a step, so that a test can stop in the middle of a way. */
    private static final BalloonDriverOptions SLOW =
            ModelMachine.DRIVER.withRequests(new BalloonDriverOptions.Requests(64, 4, 16));

    @Test
    void aDriverThatIsRemovedGivesEverythingBackAndAnotherStartFollowsTheTarget() {
        try (ModelMachine machine = new ModelMachine().booted()) {
            AddressSpace space = machine.written(2000);
            machine.inflateTo(3000);
            long inUse = machine.memory().freePages();

            machine.driver().remove();
            machine.settle();

            assertEquals(BalloonDriver.State.DOWN, machine.driver().state());
            assertEquals(0, machine.balloon().ledgerPages());
            assertEquals(3000, machine.count(BalloonCounter.PAGES_DEFLATED));
            assertEquals(0, machine.count(BalloonCounter.PAGES_RETURNED_BY_RESET));
            assertTrue(machine.memory().freePages() >= inUse + 3000);
            assertEquals(0, machine.memory().balloonedPages());
            machine.assertInStep();

            assertNull(machine.guest.startBalloon());
            assertTrue(machine.runUntil(() -> machine.isAt(3000), 5));
            machine.assertInStep();
            machine.assertIntact(space);
        }
    }

    @Test
    void aForcedRemovalReturnsEverythingByTheReset() {
        try (ModelMachine machine = new ModelMachine().booted()) {
            AddressSpace space = machine.written(2000);
            machine.inflateTo(3000);

            machine.driver().forceRemove();
            machine.settle();

            assertEquals(0, machine.balloon().ledgerPages());
            assertEquals(3000, machine.count(BalloonCounter.PAGES_RETURNED_BY_RESET));
            assertEquals(0, machine.memory().balloonedPages());
            machine.assertInStep();
            machine.assertIntact(space);
        }
    }

    @Test
    void aMachineWhoseDriverIsGoneStallsForWantOfIt() {
        try (ModelMachine machine = new ModelMachine().booted()) {
            machine.driver().forceRemove();

            CompletableFuture<SetMemoryOutcome> outcome = machine.ask(100);
            machine.runFor(61);

            assertEquals(new Stalled(SetMemoryOutcome.Reason.NO_DRIVER), outcome.join());
        }
    }

    @Test
    void resetsUnderLoadLoseNothingAndCountNothingTwice() {
        try (ModelMachine machine = new ModelMachine(ModelMachine.ALL, SLOW).booted()) {
            AddressSpace space = machine.written(2000);
            CompletableFuture<SetMemoryOutcome> outcome = machine.ask(4000);
            for (int round = 0; round < 8; round++) {
                // Each time at another place on the way.
                machine.runFor(0.04 + 0.012 * round);
                long ledger = machine.balloon().ledgerPages();
                long returned = machine.count(BalloonCounter.PAGES_RETURNED_BY_RESET);
                assertTrue(ledger > 0 && ledger < 4000, "round=" + round + ", ledger=" + ledger);

                machine.mmio().reset();

                assertEquals(0, machine.balloon().ledgerPages());
                assertEquals(
                        returned + ledger, machine.count(BalloonCounter.PAGES_RETURNED_BY_RESET));
                int restarts = round + 1;
                assertTrue(machine.runUntil(() -> machine.driver().restarts() == restarts, 3));
                assertTrue(
                        machine.runUntil(
                                () -> machine.driver().state() == BalloonDriver.State.RUNNING, 1));
            }
            assertTrue(machine.runUntil(() -> machine.isAt(4000), 20));
            machine.step();

            assertEquals(new Reached(new BalloonSize(4000)), outcome.join());
            assertEquals(DeviceLoss.GONE, machine.driver().lastLoss());
            assertEquals(0, machine.driver().abandonedPages());
            assertEquals(0L, machine.driver().counters().get(DriverCounter.PAGES_DEFLATED_ON_OOM));
            // The driver does not know yet and writes once more what it had.
            assertTrue(machine.count(BalloonCounter.FALSE_ACTUAL) <= 8);
            machine.assertInStepBut(BalloonCounter.FALSE_ACTUAL);
            machine.assertIntact(space);
        }
    }

    @Test
    void aDeviceThatIsPulledLosesNothingAndFollowsTheTargetWhenItIsBack() {
        try (ModelMachine machine = new ModelMachine().booted()) {
            AddressSpace space = machine.written(2000);
            machine.inflateTo(3000);

            machine.pull();
            machine.runFor(3);

            assertEquals(BalloonDriver.State.RESTARTING, machine.driver().state());
            assertEquals(DeviceLoss.GONE, machine.driver().lastLoss());
            assertEquals(0, machine.driver().inPossession());
            assertEquals(0, machine.driver().abandonedPages());
            assertEquals(0, machine.balloon().ledgerPages());
            // The guest goes on, with pages that were in the balloon.
            AddressSpace second = machine.written(4500);
            assertEquals(0, second.swappedPages());

            machine.putBack();
            second.exit();
            machine.runFor(0.5);
            assertEquals(BalloonDriver.State.RUNNING, machine.driver().state());
            assertTrue(machine.runUntil(() -> machine.isAt(3000), 5));

            assertEquals(3000, machine.count(BalloonCounter.PAGES_RETURNED_BY_RESET));
            assertEquals(6000, machine.count(BalloonCounter.PAGES_INFLATED));
            machine.assertInStep();
            machine.assertIntact(space);
        }
    }

    @Test
    void aDeviceThatIsPulledInTheMiddleOfAnInflateLosesNothing() {
        try (ModelMachine machine = new ModelMachine(ModelMachine.ALL, SLOW).booted()) {
            AddressSpace space = machine.written(2000);
            CompletableFuture<SetMemoryOutcome> outcome = machine.ask(3000);
            machine.runFor(0.06);
            long ledger = machine.balloon().ledgerPages();
            assertTrue(ledger > 0 && ledger < 3000, "ledger=" + ledger);

            machine.pull();
            machine.runFor(2);
            machine.putBack();
            machine.runFor(0.5);
            assertTrue(machine.runUntil(() -> machine.isAt(3000), 10));
            machine.step();

            assertEquals(new Reached(new BalloonSize(3000)), outcome.join());
            machine.assertInStep();
            machine.assertIntact(space);
        }
    }
}
