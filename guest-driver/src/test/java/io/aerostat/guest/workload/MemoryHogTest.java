package io.aerostat.guest.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.Watermarks;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.guest.page.PageAllocator;
import io.aerostat.guest.task.Jiffies;
import io.aerostat.guest.task.ProcessListing;
import io.aerostat.guest.task.TaskTable;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.Test;

/** A process that wants a lot of memory, in a guest of 500 pages. */
final class MemoryHogTest {
    private static final int PAGES = 500;

    private final GuestRam ram = GuestRam.of(GuestRam.Kind.DIRECT_BUFFER, PAGES * GuestRam.PAGE);
    private final TaskTable tasks = new TaskTable(0);
    private long nowNs;

    private MemoryNode node(int swapPages) {
        return new MemoryNode(
                ram.memory(),
                new BuddyAllocator(GuestRam.DEFAULT_BASE >> 12, PAGES),
                MemoryOptions.DEFAULT
                        .withWatermarks(new Watermarks(4, 8, 16))
                        .withSwapPages(swapPages));
    }

    private MemoryHog hog(MemoryNode node, int pages, int pagesPerStep) {
        return new MemoryHog(node, tasks, "hog", pages, pagesPerStep);
    }

    private void step(MemoryHog hog) {
        nowNs += Jiffies.NS_PER_JIFFY;
        tasks.advanceTo(nowNs);
        hog.step();
    }

    private String listing() {
        return ProcessListing.of(tasks);
    }

    @Test
    void writesAFewPagesInEachStep() {
        MemoryNode node = node(0);
        MemoryHog hog = hog(node, 100, 30);
        assertEquals(0, hog.writtenPages());
        assertEquals(0, node.anonymousPages());

        step(hog);

        assertEquals(30, hog.writtenPages());
        assertEquals(30, node.anonymousPages());
        assertFalse(hog.hasAll());
        assertTrue(listing().contains(" R    hog             -"), listing());
    }

    @Test
    void sitsOnItsPagesWhenItHasAllThatItWants() {
        MemoryNode node = node(0);
        MemoryHog hog = hog(node, 100, 30);

        for (int i = 0; i < 10; i++) {
            step(hog);
        }

        assertTrue(hog.hasAll());
        assertFalse(hog.isKilled());
        assertEquals(100, hog.writtenPages());
        assertEquals(100, node.anonymousPages());
        assertEquals(100, node.counters().get(VmCounter.PGFAULT));
        assertTrue(listing().contains(" S    hog             do_sys_pause"), listing());
    }

    @Test
    void whoWantsNothingHasAllAtOnce() {
        MemoryHog hog = hog(node(0), 0, 10);

        step(hog);

        assertTrue(hog.hasAll());
        assertTrue(listing().contains("do_sys_pause"), listing());
    }

    @Test
    void itsPagesMayBeSwappedOut() {
        MemoryNode node = node(300);
        MemoryHog hog = hog(node, 700, 100);

        for (int i = 0; i < 10; i++) {
            step(hog);
        }

        assertTrue(hog.hasAll());
        assertEquals(700, node.anonymousPages() + node.swapUsedPages());
        assertTrue(node.swapUsedPages() > 0);
    }

    @Test
    void isKilledWhenThereIsNoMore() {
        MemoryNode node = node(0);
        MemoryHog hog = hog(node, 1000, 100);

        for (int i = 0; i < 10; i++) {
            step(hog);
        }

        assertTrue(hog.isKilled());
        assertFalse(hog.hasAll());
        assertEquals(1, node.counters().get(VmCounter.OOM_KILL));
        assertEquals(PAGES, node.freePages());
        assertFalse(listing().contains("hog"), listing());
    }

    @Test
    void endsWhenAnotherOnesNeedKillsIt() {
        MemoryNode node = node(0);
        MemoryHog hog = hog(node, 400, 400);
        step(hog);
        MemoryHog other = hog(node, 300, 300);

        step(other);
        assertTrue(hog.isKilled());
        step(hog);

        assertEquals(1, listing().lines().filter(line -> line.contains("hog")).count());
        assertTrue(other.hasAll());
        assertEquals(300, node.anonymousPages());
    }

    @Test
    void waitsForMemoryThatWasPromisedAndGoesOnWhenItIsThere() {
        MemoryNode node = node(0);
        PageAllocator balloon = node.balloonPages();
        int[] taken = new int[PAGES];
        int count = 0;
        while (balloon.largestFreeOrder() != PageAllocator.NONE) {
            taken[count++] = balloon.allocate(0);
        }
        node.useRelief(pages -> pages);
        MemoryHog hog = hog(node, 50, 100);

        step(hog);
        step(hog);

        assertTrue(hog.writtenPages() < 50);
        assertTrue(listing().contains(" D    hog             reclaim_throttle"), listing());
        for (int i = 0; i < 100; i++) {
            balloon.free(taken[--count], 0);
        }
        step(hog);
        step(hog);
        assertTrue(hog.hasAll());
        assertEquals(0, node.counters().get(VmCounter.OOM_KILL));
    }

    @Test
    void freesWhatItHasWhenItEnds() {
        MemoryNode node = node(300);
        MemoryHog hog = hog(node, 700, 350);
        step(hog);
        step(hog);

        hog.exit();

        assertEquals(PAGES, node.freePages());
        assertEquals(0, node.swapUsedPages());
        assertFalse(listing().contains("hog"), listing());
        step(hog);
        assertEquals(0, node.anonymousPages());
        assertThrows(IllegalStateException.class, hog::exit);
    }

    @Test
    void mayEndAfterItWasKilled() {
        MemoryNode node = node(0);
        MemoryHog hog = hog(node, 1000, 1000);
        step(hog);
        assertTrue(hog.isKilled());

        hog.exit();

        assertEquals(PAGES, node.freePages());
    }

    @Test
    void whoEndsWhileItWaitsIsGoneWhenItWakes() {
        MemoryNode node = node(0);
        PageAllocator balloon = node.balloonPages();
        while (balloon.largestFreeOrder() != PageAllocator.NONE) {
            balloon.allocate(0);
        }
        node.useRelief(pages -> pages);
        MemoryHog hog = hog(node, 50, 100);
        step(hog);

        hog.exit();
        assertTrue(listing().contains(" D    hog"), listing());
        for (int i = 0; i < 3; i++) {
            step(hog);
        }

        assertFalse(listing().contains("hog"), listing());
        assertEquals(0, node.anonymousPages());
    }
}
