package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.balloon.DriverCounter;
import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.report.ResidentPages;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.BitSet;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalInt;

/** Driver, device and the guest's memory together, with real RAM. */
final class ModelMachineTest {
    private static final int ORDER = 9;

    @Test
    void theStatisticsAreTheGuestsOwnFigures() {
        try (ModelMachine machine = new ModelMachine().booted()) {
            AddressSpace space = machine.written(6000);
            machine.inflateTo(2000);
            machine.runFor(3);

            GuestStatistics said = machine.statistics();

            MemoryNode node = machine.memory();
            Map<StatTag, Long> expected = new EnumMap<>(StatTag.class);
            expected.put(StatTag.SWAP_IN, machine.count(VmCounter.PSWPIN) << 12);
            expected.put(StatTag.SWAP_OUT, machine.count(VmCounter.PSWPOUT) << 12);
            expected.put(StatTag.MAJFLT, machine.count(VmCounter.PGMAJFAULT));
            expected.put(StatTag.MINFLT, node.minorFaults());
            expected.put(StatTag.MEMFREE, node.freePages() << 12);
            // With DEFLATE_ON_OOM the balloon counts as the guest's.
            expected.put(StatTag.MEMTOT, (long) ModelMachine.PAGES << 12);
            expected.put(StatTag.AVAIL, node.availablePages() << 12);
            expected.put(StatTag.CACHES, node.cachePages() << 12);
            expected.put(StatTag.OOM_KILL, 0L);
            expected.put(StatTag.ALLOC_STALL, machine.count(VmCounter.ALLOCSTALL_NORMAL));
            expected.put(StatTag.ASYNC_SCAN, machine.count(VmCounter.PGSCAN_KSWAPD) << 12);
            expected.put(StatTag.DIRECT_SCAN, machine.count(VmCounter.PGSCAN_DIRECT) << 12);
            expected.put(StatTag.ASYNC_RECLAIM, machine.count(VmCounter.PGSTEAL_KSWAPD) << 12);
            expected.put(StatTag.DIRECT_RECLAIM, machine.count(VmCounter.PGSTEAL_DIRECT) << 12);
            assertEquals(expected, said.known());
            assertTrue(said.value(StatTag.SWAP_OUT).orElseThrow() > 0);
            assertEquals(0, machine.vm.contradictionsIn(said).size());
            machine.assertIntact(space);
            machine.assertInStep();
        }
    }

    @Test
    void withoutDeflateOnOomTheBalloonIsMissingFromTheTotal() {
        BalloonOptions balloon = BalloonOptions.DEFAULT;
        try (ModelMachine machine = new ModelMachine(balloon, ModelMachine.DRIVER).booted()) {
            machine.inflateTo(2000);

            GuestStatistics said = machine.statistics();

            assertEquals(
                    (ModelMachine.PAGES - 2000L) << 12, said.value(StatTag.MEMTOT).orElseThrow());
        }
    }

    @Test
    void deflatingOnOomKeepsAProcessAliveAndTheHostGetsItsTargetLater() {
        BalloonOptions balloon = ModelMachine.ALL.withOomHoldNs(3_000_000_000L);
        try (ModelMachine machine =
                new ModelMachine(balloon, ModelMachine.DRIVER, 0, 4096).booted()) {
            machine.inflateTo(6000);
            machine.runFor(2);
            // In steps: what the driver takes out comes to the guest when the device has confirmed.
            AddressSpace space = machine.memory().newAddressSpace(31_000, 3000);
            int page = 0;
            for (int step = 0; step < 500 && page < 3000; step++) {
                while (page < 3000 && space.write(page).isPresent()) {
                    page++;
                }
                machine.step();
            }

            assertEquals(3000, page);
            assertFalse(space.isKilled());
            assertEquals(0, machine.count(VmCounter.OOM_KILL));
            long takenBack = machine.count(BalloonCounter.PAGES_TAKEN_BACK);
            assertTrue(takenBack > 0);
            long missing = 6000 - machine.balloon().ledgerPages();
            // Fewer than 32 pages may be on the move, for all that the device knows.
            assertTrue(missing >= takenBack && missing < takenBack + 32, "missing=" + missing);
            machine.runFor(1);
            assertTrue(machine.balloon().targetPages() < 6000, "the host holds");
            machine.assertIntact(space);
            space.exit();
            assertTrue(machine.runUntil(() -> machine.isAt(6000), 10), "the host gets it again");
            machine.assertInStep();
        }
    }

    @Test
    void withoutDeflateOnOomTheProcessIsKilledAndTheBalloonStays() {
        try (ModelMachine machine =
                new ModelMachine(BalloonOptions.DEFAULT, ModelMachine.DRIVER, 0, 4096).booted()) {
            machine.inflateTo(6000);

            AddressSpace space = machine.written(3000);
            machine.runFor(1);

            assertTrue(space.isKilled());
            assertTrue(machine.count(VmCounter.OOM_KILL) > 0);
            assertEquals(6000, machine.balloon().ledgerPages());
            machine.assertInStep();
        }
    }

    /** Blocks of 128 KiB and more are reported at once. */
    private static BalloonDriverOptions reporting() {
        return ModelMachine.DRIVER.withFreePages(
                new BalloonDriverOptions.FreePages(OptionalInt.empty(), 5, 5, 256));
    }

    @Test
    void reportingFreePagesLowersWhatIsResidentAndKeepsTheRest() {
        assumeTrue(LinuxMemory.isSupported(), "only a kernel can say what is resident");
        try (ModelMachine machine = new ModelMachine(ModelMachine.ALL, reporting()).booted()) {
            AddressSpace kept = machine.written(1000);
            AddressSpace freed = machine.written(4000);
            machine.runFor(5);
            long before = machine.vm.backend().residentBytes();

            freed.exit();
            machine.runFor(5);

            long fallen = before - machine.vm.backend().residentBytes();
            assertTrue(fallen > 3500L << 12, "fallen=" + fallen);
            assertEquals(0, machine.balloon().ledgerPages());
            assertEquals(
                    machine.driver().counters().get(DriverCounter.PAGES_REPORTED) << 12,
                    machine.count(BalloonCounter.BYTES_REPORTED));
            machine.assertIntact(kept);
            machine.assertIntact(kept, machine.written(4000));
            machine.assertInStep();
        }
    }

    @Test
    void hintsNameFreePagesAloneAndDoneGivesThemBack() {
        try (ModelMachine machine = new ModelMachine().booted()) {
            AddressSpace kept = machine.written(2000);
            machine.inflateTo(1000);
            machine.runFor(2);
            BitSet used = new BitSet();
            ResidentPages contents = machine.resident();
            for (int pfn = 0; pfn < ModelMachine.PAGES; pfn++) {
                switch (machine.memory().useOf(pfn)) {
                    case ANONYMOUS, CACHE, RESERVED -> used.set(pfn);
                    case FREE, ISOLATED, BALLOON -> {}
                }
            }
            long free = machine.memory().freePages();

            machine.balloon().hinting().start();
            machine.settle();

            BitSet hinted = new BitSet();
            machine.balloon()
                    .hinting()
                    .forEachHintedRange((pfn, pages) -> hinted.set((int) pfn, (int) (pfn + pages)));
            assertTrue(hinted.cardinality() > 1000, "hinted=" + hinted.cardinality());
            assertEquals(machine.driver().hintedPages(), hinted.cardinality());
            assertFalse(hinted.intersects(used), "a page in use is hinted");
            assertFalse(hinted.intersects(machine.ballooned()), "a ballooned page is hinted");
            assertEquals(free - hinted.cardinality(), machine.memory().freePages());
            assertEquals(contents.bytes(), machine.resident().bytes(), "nothing is discarded");

            machine.balloon().hinting().done();
            machine.settle();

            assertEquals(0, machine.driver().hintedPages());
            assertEquals(free, machine.memory().freePages());
            machine.assertIntact(kept);
            machine.assertInStep();
        }
    }

    @Test
    void aGuestThatNeedsMemoryTakesHintedPagesBack() {
        BalloonDriverOptions driver =
                ModelMachine.DRIVER.withFreePages(
                        new BalloonDriverOptions.FreePages(OptionalInt.empty(), 9, 5, 64));
        try (ModelMachine machine = new ModelMachine(ModelMachine.ALL, driver, 0, 4096).booted()) {
            machine.balloon().hinting().start();
            machine.settle();
            assertTrue(machine.driver().hintedPages() > 6000);

            AddressSpace space = machine.written(6000);

            assertFalse(space.isKilled());
            assertEquals(6000, space.residentPages());
            assertTrue(machine.driver().counters().get(DriverCounter.HINTED_PAGES_TAKEN_BACK) > 0);
            machine.assertIntact(space);
            machine.balloon().hinting().done();
            machine.assertInStep();
        }
    }

    @Test
    void compactionMovesBalloonedPagesOutOfTheWay() {
        // Not whole blocks, which would leave the balloon's pages in one piece; and no reports.
        BalloonDriverOptions driver =
                ModelMachine.DRIVER.withFeatures(
                        BalloonFeature.MUST_TELL_HOST | BalloonFeature.STATS_VQ);
        try (ModelMachine machine = new ModelMachine(ModelMachine.ALL, driver).booted()) {
            AddressSpace space = machine.written(8000);
            ModelMachine.thin(space, 4);
            machine.inflateTo(4000);
            AddressSpace second = machine.written(1200);
            ModelMachine.thin(second, 3);
            assertFalse(machine.memory().compact(ORDER), "it is in pieces");
            long migrated = machine.driver().counters().get(DriverCounter.PAGES_MIGRATED);
            BitSet before = machine.ballooned();

            boolean made = false;
            for (int calls = 0; calls < 500 && !made; calls++) {
                machine.settle();
                made = machine.memory().compact(ORDER);
            }

            assertTrue(made);
            machine.assertInStep();
            assertTrue(
                    machine.driver().counters().get(DriverCounter.PAGES_MIGRATED) > migrated,
                    "the balloon's pages were moved");
            assertFalse(before.equals(machine.ballooned()));
            assertEquals(4000, machine.balloon().ledgerPages());
            assertEquals(0, machine.count(BalloonCounter.FALSE_ACTUAL));
            assertEquals(0, machine.count(BalloonCounter.PAGES_TAKEN_BACK));
            machine.assertIntact(space, second);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 16 << 10, 64 << 10, 2 << 20})
    void hostPagesOfAnySizeGoBackWholeAndComeBackWhole(int unit) {
        try (ModelMachine machine =
                new ModelMachine(ModelMachine.ALL, ModelMachine.DRIVER, 1024, unit).booted()) {
            AddressSpace space = machine.written(1500);
            AddressSpace gone = machine.written(4000);
            gone.exit();
            long full = machine.vm.backend().residentBytes();

            machine.inflateTo(5000);

            long incomplete = machine.balloon().incompletePages();
            assertTrue(unit > 4096 || incomplete == 0, "incomplete=" + incomplete);
            assertTrue(incomplete < 5000, "incomplete=" + incomplete);
            if (LinuxMemory.isSupported()) {
                long resident = machine.vm.backend().residentBytes();
                assertTrue(resident < full, "resident=" + resident + ", full=" + full);
                assertTrue(resident <= (ModelMachine.PAGES - 5000 + incomplete) << 12);
            }
            machine.assertIntact(space);
            machine.assertInStep();
            machine.inflateTo(1234);
            machine.assertIntact(space, machine.written(3000));
            machine.assertInStep();
            machine.inflateTo(0);
            assertEquals(0, machine.balloon().incompletePages());
            machine.assertInStep();
        }
    }
}
