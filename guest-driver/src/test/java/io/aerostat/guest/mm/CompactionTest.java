package io.aerostat.guest.mm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.page.PageAllocator;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;

/** 2000 pages of which 4, 8 and 16 are the watermarks; the RAM begins at PFN 16. */
final class CompactionTest {
    private static final int PAGES = 2000;

    private final MemoryRig rig =
            new MemoryRig(PAGES, MemoryRig.options().withSwapPages(64).withFiles(1, 2000));
    private final PageAllocator balloon = rig.node.balloonPages();

    /** Holds single pages all over the balloon's, and moves them when told that time has passed. */
    private final class Mover implements PageMover {
        final Set<Integer> held = new LinkedHashSet<>();
        final Deque<Integer> leaving = new ArrayDeque<>();
        boolean refuses;

        @Override
        public boolean owns(int pfn) {
            return held.contains(pfn);
        }

        @Override
        public boolean move(int pfn) {
            int target = refuses ? PageAllocator.NONE : balloon.allocate(0);
            if (target == PageAllocator.NONE) {
                return false;
            }
            held.remove(pfn);
            held.add(target);
            leaving.add(pfn);
            return true;
        }

        void pass(int pages) {
            for (int i = 0; i < pages && !leaving.isEmpty(); i++) {
                balloon.free(leaving.remove(), 0);
            }
        }
    }

    /** Fills the memory with pages by turns and frees most, so that what is left lies scattered. */
    private AddressSpace scatter() {
        AddressSpace space = rig.node.newAddressSpace(1, PAGES);
        for (int i = 0; i < 990; i++) {
            space.write(i);
            space.readFile(0, i);
        }
        for (int page = 0; page < 990; page++) {
            if (page % 20 != 0) {
                space.free(page);
            }
        }
        return space;
    }

    private void assertIntact(AddressSpace space) {
        for (int page = 0; page < 990; page += 20) {
            assertTrue(space.isPresent(page));
            space.read(page);
        }
        for (int index = 0; index < 990; index++) {
            assertEquals(FaultOutcome.NONE, space.readFile(0, index), "index=" + index);
        }
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
    }

    @Test
    void movesItsOwnPagesOutOfTheWayWithTheirContents() {
        AddressSpace space = scatter();
        assertTrue(rig.allocator.largestFreeOrder() < 8);
        long free = rig.node.freePages();

        int calls = 1;
        while (!rig.node.compact(9)) {
            assertTrue(calls++ < 10);
            rig.assertConserved("on the way");
        }

        assertEquals(2, calls);
        assertEquals(9, rig.allocator.largestFreeOrder());
        assertEquals(free, rig.node.freePages());
        assertEquals(0, rig.node.isolatedPages());
        assertEquals(1, rig.count(VmCounter.COMPACT_SUCCESS));
        assertTrue(rig.count(VmCounter.PGMIGRATE_SUCCESS) >= 256);
        assertIntact(space);
        rig.assertConserved("compacted");
    }

    @Test
    void keepsThePagesInTheOrderOfTheirUse() {
        AddressSpace space = scatter();
        assertFalse(rig.node.compact(9));
        assertTrue(rig.node.compact(9));

        // The first direct reclaim drops 32 pages: the first of the file, which are the oldest.
        for (int page = 990; rig.count(VmCounter.PGSTEAL_DIRECT) == 0; page++) {
            space.write(page);
        }

        for (int index = 989; index >= 32; index--) {
            assertEquals(FaultOutcome.NONE, space.readFile(0, index), "index=" + index);
        }
        for (int index = 0; index < 32; index++) {
            assertEquals(FaultOutcome.MAJOR, space.readFile(0, index), "index=" + index);
        }
    }

    @Test
    void movesABlockInCallsOfBoundedWork() {
        AddressSpace space = scatter();

        assertFalse(rig.node.compact(9));
        assertEquals(256, rig.count(VmCounter.PGMIGRATE_SUCCESS));
        assertTrue(rig.node.compact(9));

        assertIntact(space);
    }

    @Test
    void answersAtOnceIfThereIsSuchABlock() {
        assertTrue(rig.node.compact(9));
        assertEquals(0, rig.count(VmCounter.COMPACT_SUCCESS));
        assertEquals(0, rig.count(VmCounter.PGMIGRATE_SUCCESS));
        assertThrows(IllegalArgumentException.class, () -> rig.node.compact(11));
        assertThrows(IllegalArgumentException.class, () -> rig.node.compact(-1));
    }

    /** Takes all of the memory for the balloon and frees all but each {@code step}th page. */
    private Mover scatteredBalloon(int step) {
        Mover mover = new Mover();
        int pfn = balloon.allocate(0);
        while (pfn != PageAllocator.NONE) {
            mover.held.add(pfn);
            pfn = balloon.allocate(0);
        }
        for (int held : mover.held.stream().filter(page -> page % step != 3).toList()) {
            mover.held.remove(held);
            balloon.free(held, 0);
        }
        rig.node.useMover(mover);
        return mover;
    }

    @Test
    void asksTheBalloonToMoveItsPagesAndWaits() {
        Mover mover = scatteredBalloon(8);
        long ballooned = rig.node.balloonedPages();
        assertEquals(2, rig.allocator.largestFreeOrder());

        assertFalse(rig.node.compact(9));
        assertEquals(64, mover.leaving.size());
        mover.pass(40);
        assertFalse(rig.node.compact(9));
        assertEquals(24, mover.leaving.size());
        assertEquals(ballooned + 24, rig.node.balloonedPages());
        mover.pass(24);

        assertTrue(rig.node.compact(9));
        assertEquals(9, rig.allocator.largestFreeOrder());
        assertEquals(ballooned, rig.node.balloonedPages());
        assertEquals(0, rig.node.isolatedPages());
        rig.assertConserved("compacted");
    }

    @Test
    void letsNobodyMoveIntoTheBlockMeanwhile() {
        Mover mover = scatteredBalloon(8);
        AddressSpace space = rig.node.newAddressSpace(1, PAGES);
        assertFalse(rig.node.compact(9));

        for (int page = 0; page < 500; page++) {
            space.write(page);
        }
        rig.assertConserved("on the way");
        mover.pass(64);

        assertTrue(rig.node.compact(9));
    }

    @Test
    void givesTheBlockUpWhenNothingElseIsLeft() {
        scatteredBalloon(8);
        AddressSpace space = rig.node.newAddressSpace(1, PAGES);
        assertFalse(rig.node.compact(9));
        long room = rig.node.freePages() + rig.node.isolatedPages() - 4;

        for (int page = 0; page < room; page++) {
            assertEquals(FaultOutcome.MINOR, space.write(page));
        }

        assertEquals(0, rig.node.isolatedPages());
        assertEquals(0, rig.count(VmCounter.PGSCAN_DIRECT));
        assertEquals(0, rig.count(VmCounter.OOM_KILL));
        rig.assertConserved("with all taken");
    }

    @Test
    void leavesBlocksWithPagesThatNobodyMoves() {
        Mover mover = scatteredBalloon(8);
        rig.node.useMover(PageMover.NONE);

        assertFalse(rig.node.compact(9));

        assertEquals(1, rig.count(VmCounter.COMPACT_FAIL));
        assertEquals(0, mover.leaving.size());
    }

    @Test
    void triesAnotherBlockWhenTheBalloonKeepsRefusing() {
        Mover mover = scatteredBalloon(8);
        mover.refuses = true;

        for (int i = 0; i < 17; i++) {
            assertFalse(rig.node.compact(9));
        }
        assertTrue(rig.count(VmCounter.PGMIGRATE_FAIL) > 0);
        mover.refuses = false;
        for (int i = 0; i < 3; i++) {
            rig.node.compact(9);
            mover.pass(64);
        }

        assertTrue(rig.node.compact(9));
        rig.assertConserved("compacted at last");
    }

    @Test
    void doesNotTouchReservedFrames() {
        MemoryRig small = new MemoryRig(64, MemoryRig.options());
        assertEquals(FrameUse.RESERVED, small.node.useOf(0));
        MemoryNode late = new MemoryNode(small.ram.memory(), small.allocator, MemoryRig.options());
        assertEquals(0, late.reservedPages());
        int taken = small.allocator.allocate(5);
        MemoryNode later = new MemoryNode(small.ram.memory(), small.allocator, MemoryRig.options());

        assertEquals(32, later.reservedPages());
        assertEquals(FrameUse.RESERVED, later.useOf(taken));
        assertFalse(later.compact(6));
    }
}
