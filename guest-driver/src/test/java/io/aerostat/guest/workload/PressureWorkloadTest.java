package io.aerostat.guest.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.guest.page.PageAllocator;
import io.aerostat.guest.task.ProcessListing;
import io.aerostat.guest.task.Task;
import io.aerostat.guest.task.TaskState;
import io.aerostat.guest.task.TaskTable;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.Test;

import java.util.HashSet;
import java.util.Set;

final class PressureWorkloadTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int MIB = 256;

    /** A guest that a workload runs in. */
    private static final class Guest {
        final GuestRam ram;
        final MemoryNode node;
        final TaskTable tasks = new TaskTable(0);
        final PressureWorkload workload;
        long nowNs;

        Guest(int pages, int swapPages, PressureOptions options, long seed) {
            ram = GuestRam.of(GuestRam.Kind.DIRECT_BUFFER, pages * GuestRam.PAGE);
            node =
                    new MemoryNode(
                            ram.memory(),
                            new BuddyAllocator(GuestRam.DEFAULT_BASE >> 12, pages),
                            MemoryOptions.DEFAULT
                                    .withSwapPages(swapPages)
                                    .withFiles(8, 1024)
                                    .withSeed(seed));
            workload = new PressureWorkload(node, tasks, options, seed);
        }

        void run(long durationNs, long stepNs) {
            long endNs = nowNs + durationNs;
            while (nowNs < endNs) {
                nowNs += stepNs;
                workload.step(nowNs);
            }
        }

        String figures() {
            return node.counters()
                    + "free "
                    + node.freePages()
                    + "\ncache "
                    + node.cachePages()
                    + "\nanonymous "
                    + node.anonymousPages()
                    + "\nswap "
                    + node.swapUsedPages()
                    + "\n"
                    + ProcessListing.of(tasks);
        }
    }

    private static final PressureOptions SMALL =
            PressureOptions.DEFAULT.withProcesses(3).withPages(2048, 256);

    @Test
    void isTheSameAgainWithTheSameSeed() {
        Guest first = new Guest(16 * MIB, 4096, SMALL, 5);
        Guest second = new Guest(16 * MIB, 4096, SMALL, 5);
        Guest other = new Guest(16 * MIB, 4096, SMALL, 6);

        for (Guest guest : new Guest[] {first, second, other}) {
            guest.run(120 * SECOND, SECOND / 100);
        }

        assertEquals(first.figures(), second.figures());
        assertNotEquals(first.figures(), other.figures());
    }

    @Test
    void livesThroughHoursOfPressureWithoutLosingABit() {
        Guest guest = new Guest(64 * MIB, 16_384, PressureOptions.DEFAULT.withProcesses(8), 1);

        guest.run(3 * 3600 * SECOND, 2 * SECOND);

        assertEquals(0, guest.workload.corruptedPages());
        assertEquals(0, guest.workload.replacedProcesses());
        assertTrue(guest.node.counters().get(VmCounter.PSWPIN) > 0, guest.figures());
        assertTrue(guest.node.counters().get(VmCounter.PGSTEAL_KSWAPD) > 0, guest.figures());
        assertTrue(guest.node.counters().get(VmCounter.WORKINGSET_REFAULT_FILE) > 0);
        assertTrue(guest.workload.accesses() > 100_000, "accesses=" + guest.workload.accesses());
    }

    @Test
    void replacesProcessesThatAreKilled() {
        Guest guest = new Guest(8 * MIB, 0, SMALL.withProcesses(4), 3);

        guest.run(300 * SECOND, SECOND / 20);

        long kills = guest.node.counters().get(VmCounter.OOM_KILL);
        assertTrue(kills > 0, guest.figures());
        assertTrue(Math.abs(kills - guest.workload.replacedProcesses()) <= 4);
        assertEquals(0, guest.workload.corruptedPages());
        assertEquals(7, guest.tasks.tasks().size());
    }

    @Test
    void showsWhoWaitsForWhat() {
        Guest guest = new Guest(16 * MIB, 4096, SMALL, 7);
        Set<String> seen = new HashSet<>();

        for (int i = 0; i < 15_000; i++) {
            guest.run(SECOND / 100, SECOND / 100);
            for (Task task : guest.tasks.tasks()) {
                seen.add(task.name().replaceAll("[0-9]", "") + " " + statOf(task));
            }
        }

        Set<String> expected =
                Set.of(
                        "init S do_wait",
                        "kthreadd S kthreadd",
                        "kswapd S kswapd",
                        "kswapd R -",
                        "worker R -",
                        "worker S hrtimer_nanosleep",
                        "worker D folio_wait_bit_common");
        assertEquals(expected, seen);
    }

    private static String statOf(Task task) {
        return task.state().letter() + " " + task.wchan();
    }

    @Test
    void waitsForMemoryThatWasPromised() {
        Guest guest = new Guest(16 * MIB, 0, SMALL.withProcesses(1), 7);
        PageAllocator balloon = guest.node.balloonPages();
        while (balloon.largestFreeOrder() != PageAllocator.NONE) {
            int pfn = balloon.allocate(balloon.largestFreeOrder());
            assertNotEquals(PageAllocator.NONE, pfn);
        }
        guest.node.useRelief(pages -> pages);

        guest.run(SECOND / 10, SECOND / 10);

        assertTrue(
                ProcessListing.of(guest.tasks).contains(" D    worker0         reclaim_throttle"));
    }

    @Test
    void leavesAStoppedProcessAlone() {
        Guest guest = new Guest(16 * MIB, 0, SMALL.withProcesses(1), 7);
        Task worker = guest.tasks.find(4);
        assertTrue(worker != null);
        guest.tasks.stop(worker);

        guest.run(10 * SECOND, SECOND / 10);

        assertEquals(0, guest.workload.accesses());
        assertEquals(TaskState.STOPPED, worker.state());
        guest.tasks.resume(worker);
        guest.run(10 * SECOND, SECOND / 10);
        assertTrue(guest.workload.accesses() > 0);
    }

    @Test
    void replacesAProcessThatSomebodyElseKilled() {
        Guest guest = new Guest(16 * MIB, 0, SMALL.withProcesses(1), 7);
        guest.run(10 * SECOND, SECOND / 10);
        Task worker = guest.tasks.find(4);
        assertTrue(worker != null);

        guest.tasks.kill(worker);
        guest.run(SECOND, SECOND / 10);

        assertEquals(1, guest.workload.replacedProcesses());
        assertEquals(4, guest.tasks.tasks().size());
    }

    @Test
    void givesAllButTheCacheBackWhenItStops() {
        Guest guest = new Guest(16 * MIB, 4096, SMALL, 7);
        guest.run(60 * SECOND, SECOND / 10);

        guest.workload.stop();
        guest.run(SECOND, SECOND / 10);

        assertEquals(0, guest.node.anonymousPages());
        assertEquals(0, guest.node.swapUsedPages());
        assertEquals(16 * MIB, guest.node.freePages() + guest.node.cachePages());
        assertEquals(3, guest.tasks.tasks().size());
    }
}
