package io.aerostat.vmm.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.MemoryHog;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.vmm.vm.Backing;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.RamOptions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Memory that is on its way to the guest, or back to it, when somebody needs it. */
final class GuestInNeedTest {
    private static final GuestSize MAXIMUM = new GuestSize(256L << 20);
    private static final GuestSize SMALL = new GuestSize(64L << 20);
    private static final int HOG_PAGES_PER_STEP = 64;

    private static SteppedMachine machine(int inFlight, long features) {
        GuestOptions guest =
                new GuestOptions(
                        MemoryOptions.DEFAULT,
                        BalloonDriverOptions.DEFAULT
                                .withFeatures(features)
                                .withRequests(
                                        new BalloonDriverOptions.Requests(128, inFlight, 256)),
                        PressureOptions.DEFAULT.withProcesses(1).withPages(8, 4),
                        7);
        SteppedMachine machine =
                new SteppedMachine(
                        MAXIMUM,
                        RamOptions.of(Backing.preferred()),
                        BalloonOptions.DEFAULT.withFeatures(BalloonOptions.ALL_FEATURES),
                        guest);
        machine.boot();
        return machine;
    }

    private static long kills(SteppedMachine machine) {
        return machine.memory().counters().get(VmCounter.OOM_KILL);
    }

    private static MemoryHog hog(SteppedMachine machine, String name, int pages) {
        return new MemoryHog(
                machine.memory(), machine.guest().tasks(), name, pages, HOG_PAGES_PER_STEP);
    }

    @ParameterizedTest(name = "{0} requests in flight, {1} programs of {2} pages")
    @CsvSource({"16, 1, 24000", "1, 1, 24000", "1, 2, 12000", "16, 4, 6000", "16, 60, 400"})
    void nobodyIsKilledWhileTheBalloonHasWhatIsWanted(int inFlight, int programs, int pages) {
        try (SteppedMachine machine = machine(inFlight, BalloonOptions.ALL_FEATURES)) {
            machine.await(machine.ask(SMALL, 30), SMALL, 30);
            List<MemoryHog> hogs = new ArrayList<>();
            for (int i = 0; i < programs; i++) {
                hogs.add(hog(machine, "hog" + i, pages));
            }
            machine.alongWithProcesses(() -> hogs.forEach(MemoryHog::step));

            boolean all = machine.runUntil(() -> hogs.stream().allMatch(MemoryHog::hasAll), 8);

            assertEquals(0, kills(machine));
            assertTrue(all, () -> "free pages: " + machine.memory().freePages());
        }
    }

    @Test
    void nobodyIsKilledWhileTheHostGivesMemoryBack() {
        try (SteppedMachine machine = machine(16, BalloonOptions.ALL_FEATURES)) {
            machine.await(machine.ask(SMALL, 30), SMALL, 30);
            MemoryHog hog = hog(machine, "hog", 40_000);
            machine.alongWithProcesses(hog::step);
            long nearlyNone = machine.memory().watermarks().minPages() + 128;
            machine.runUntil(() -> machine.memory().freePages() < nearlyNone, 8);

            var _ = machine.ask(MAXIMUM, 30);
            machine.runUntil(hog::hasAll, 8);

            assertEquals(0, kills(machine));
            assertTrue(hog.hasAll());
        }
    }

    @Test
    void nobodyIsKilledForPagesThatAreBeingReported() {
        try (SteppedMachine machine = machine(16, BalloonOptions.ALL_FEATURES)) {
            MemoryHog first = hog(machine, "first", 20_000);
            machine.alongWithProcesses(first::step);
            machine.runUntil(first::hasAll, 1.9);
            machine.runFor(1.9 - machine.seconds());
            long nowNs = (long) (machine.seconds() * 1e9);
            // The device is late: the guest goes on without it.
            while (machine.guest().driver().isolatedPages() == 0) {
                nowNs += SteppedMachine.STEP_NS;
                machine.guest().step(nowNs);
            }
            MemoryHog hog =
                    new MemoryHog(machine.memory(), machine.guest().tasks(), "hog", 20_000, 2048);
            for (int i = 0; i < 8; i++) {
                nowNs += SteppedMachine.STEP_NS;
                machine.guest().step(nowNs);
                hog.step();
            }

            assertEquals(0, kills(machine));
        }
    }

    @Test
    void aResetInARoundOfHintsWritesNone() {
        try (SteppedMachine machine = machine(16, BalloonOptions.ALL_FEATURES)) {
            machine.runFor(1);
            machine.balloon().hinting().start();
            machine.runFor(0.5);
            long held = machine.guest().driver().hintedPages();
            long before = machine.vm().backend().residentBytes();

            machine.guest().driver().forceRemove();

            long grown = machine.vm().backend().residentBytes() - before;
            assertTrue(held > 10_000, "hinted: " + held);
            assertTrue(grown < 1 << 20, "resident grew by " + grown);
            assertEquals(0, machine.guest().driver().hintedPages());
        }
    }

    @Test
    void isNotOutOfPagesAnyMoreWhenNoneIsWanted() {
        try (SteppedMachine machine = machine(16, 0)) {
            var _ = machine.ask(new GuestSize(1L << 20), 5);
            machine.runFor(6);
            boolean outOfPages = machine.guest().driver().isOutOfPages();
            String waiting = machine.guest().ps();
            GuestSize larger = new GuestSize(200L << 20);
            machine.await(machine.ask(larger, 5), larger, 5);
            machine.runFor(1);

            assertTrue(outOfPages);
            assertTrue(waiting.contains("vballoon        msleep"), waiting);
            assertFalse(machine.guest().driver().isOutOfPages());
            assertTrue(machine.guest().ps().contains("vballoon        balloon"));
        }
    }

    @Test
    void waitsForTheHostWhilePagesComeBackToo() {
        try (SteppedMachine machine = machine(16, 0)) {
            machine.await(machine.ask(SMALL, 5), SMALL, 5);
            var _ = machine.ask(MAXIMUM, 5);
            machine.vm().step();

            machine.guest().stepBalloon((long) (machine.seconds() * 1e9));

            assertTrue(machine.guest().ps().contains("vballoon        tell_host"));
        }
    }

    @Test
    void askingForStatisticsThatNeverComeEnds() {
        try (SteppedMachine machine = machine(16, 0)) {
            assertTimeoutPreemptively(
                    Duration.ofSeconds(20),
                    () -> assertThrows(IllegalStateException.class, machine::statistics));
        }
    }
}
