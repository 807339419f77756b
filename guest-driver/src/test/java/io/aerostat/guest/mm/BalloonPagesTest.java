package io.aerostat.guest.mm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.page.PageAllocator;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.Deque;

/** 256 pages, of which 4, 8 and 16 are the watermarks. */
final class BalloonPagesTest {
    private static final int NONE = PageAllocator.NONE;

    private final MemoryRig rig =
            new MemoryRig(256, MemoryRig.options().withSwapPages(64).withFiles(1, 400));
    private final PageAllocator balloon = rig.node.balloonPages();
    private final Deque<Integer> taken = new ArrayDeque<>();

    private boolean inflate() {
        int pfn = balloon.allocate(0);
        if (pfn != NONE) {
            taken.add(pfn);
        }
        return pfn != NONE;
    }

    @Test
    void squeezesFreeMemoryThenCacheThenProcessesAndThenGetsNothing() {
        AddressSpace space = rig.written(1, 100);
        for (int index = 0; index < 64; index++) {
            space.readFile(0, index);
        }

        // 92 are free: all above the min watermark go first.
        for (int i = 0; i < 88; i++) {
            assertTrue(inflate());
        }
        assertEquals(4, rig.node.freePages());
        assertEquals(64, rig.node.cachePages());

        while (rig.node.cachePages() > 0) {
            assertTrue(inflate());
            assertEquals(0, rig.node.swapUsedPages());
        }
        while (inflate()) {
            assertTrue(rig.node.freePages() >= 4);
        }

        assertEquals(64, rig.node.swapUsedPages());
        assertEquals(36, rig.node.anonymousPages());
        assertEquals(4, rig.node.freePages());
        assertEquals(256 - 36 - 4, rig.node.balloonedPages());
        assertEquals(NONE, balloon.largestFreeOrder());
        assertEquals(0, rig.count(VmCounter.OOM_KILL));
        assertEquals(0, rig.count(VmCounter.OOM_RELIEF));
        rig.assertConserved("inflated as far as it goes");

        while (!taken.isEmpty()) {
            balloon.free(taken.remove(), 0);
        }
        for (int page = 0; page < 100; page++) {
            space.read(page);
        }
        assertEquals(0, rig.node.swapUsedPages());
        assertEquals(156, rig.node.freePages());
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
        rig.assertConserved("deflated");
    }

    @Test
    void doesNotAskForReliefNorKill() {
        rig.node.useRelief(
                pages -> {
                    throw new AssertionError("asked for relief: pages=" + pages);
                });
        rig.written(1, 250);

        while (inflate()) {
            assertTrue(rig.node.freePages() >= 4);
        }

        assertEquals(0, rig.count(VmCounter.OOM_KILL));
    }

    @Test
    void givesLargeBlocksOnlyFromWhatIsFreeAboveTheHighWatermark() {
        int order = balloon.largestFreeOrder();
        while (order > 0) {
            assertNotEquals(NONE, balloon.allocate(order));
            assertTrue(rig.node.freePages() >= 16);
            order = balloon.largestFreeOrder();
        }

        // 16 or 17: one more of two pages would go below.
        assertTrue(rig.node.freePages() < 18);
        assertEquals(NONE, balloon.allocate(1));
        assertEquals(0, rig.count(VmCounter.PGSCAN_DIRECT));
    }

    @Test
    void promisesNothingThatItDoesNotKeep() {
        AddressSpace space = rig.written(1, 60);
        for (int index = 0; index < 100; index++) {
            space.readFile(0, index);
        }

        int order = balloon.largestFreeOrder();
        while (order != NONE) {
            assertNotEquals(NONE, balloon.allocate(order), "order=" + order);
            order = balloon.largestFreeOrder();
        }

        assertEquals(NONE, balloon.allocate(0));
        assertEquals(NONE, balloon.allocate(1));
        assertEquals(252 - rig.node.anonymousPages(), rig.node.balloonedPages());
    }

    @Test
    void takesBackInPiecesWhatItGaveAsOneBlock() {
        int pfn = balloon.allocate(3);

        balloon.free(pfn + 4, 2);
        balloon.free(pfn + 1, 0);

        assertEquals(3, rig.node.balloonedPages());
        assertEquals(253, balloon.freePages());
        assertEquals(256, balloon.totalPages());
        rig.assertConserved("in pieces");
    }

    @Test
    void takesBackNothingThatItDidNotGive() {
        AddressSpace space = rig.written(1, 1);
        int pfn = balloon.allocate(2);

        assertThrows(IllegalStateException.class, () -> balloon.free(space.frameOf(0), 0));
        assertThrows(IllegalArgumentException.class, () -> balloon.free(pfn + 1, 1));
        assertThrows(IllegalArgumentException.class, () -> balloon.free(pfn, 11));
        assertThrows(IllegalArgumentException.class, () -> balloon.free(pfn, -1));
        assertThrows(IllegalArgumentException.class, () -> balloon.free(0, 0));
        assertThrows(IllegalArgumentException.class, () -> balloon.free(Integer.MAX_VALUE, 0));
        assertThrows(IllegalArgumentException.class, () -> balloon.allocate(11));
        balloon.free(pfn, 2);
        assertThrows(IllegalStateException.class, () -> balloon.free(pfn, 0));
        rig.assertConserved("after refusals");
    }
}
