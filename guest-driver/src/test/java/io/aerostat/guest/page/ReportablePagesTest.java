package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** Which free blocks the host has been told of. */
final class ReportablePagesTest {
    private static final int LOWEST = BuddyAllocator.LOWEST_REPORTABLE_ORDER;
    private static final int SEEDS = 40;
    private static final int STEPS = 2000;

    static LongStream seeds() {
        return Seeds.first(SEEDS);
    }

    /** Reports everything that is free, in blocks of these orders. */
    private static void reportAll(ReportablePages pages) {
        for (int order = pages.largestUnreportedOrder();
                order != PageAllocator.NONE;
                order = pages.largestUnreportedOrder()) {
            pages.freeReported(pages.isolateUnreported(order), order);
        }
    }

    @Test
    void startsWithNothingReported() {
        ReportablePages pages = new BuddyAllocator(0, 2048);

        assertEquals(10, pages.largestUnreportedOrder());
        assertEquals(5, pages.lowestReportableOrder());
    }

    @Test
    void isolatesTheLowestUnreportedBlockOfThatOrder() {
        ReportablePages pages = new BuddyAllocator(0, 1024 + 64);

        assertEquals(1024, pages.isolateUnreported(6));
        assertEquals(PageAllocator.NONE, pages.isolateUnreported(6));
        assertEquals(PageAllocator.NONE, pages.isolateUnreported(9));
        assertEquals(0, pages.isolateUnreported(10));
        assertEquals(0, pages.freePages());
    }

    @Test
    void doesNotIsolateWhatWasReported() {
        ReportablePages pages = new BuddyAllocator(0, 1024 + 64);

        reportAll(pages);

        assertEquals(PageAllocator.NONE, pages.largestUnreportedOrder());
        assertEquals(PageAllocator.NONE, pages.isolateUnreported(10));
        assertEquals(1024 + 64, pages.freePages());
    }

    @Test
    void keepsTheMarkOnTheRestOfABlockThatWasSplit() {
        ReportablePages pages = new BuddyAllocator(0, 1024);
        reportAll(pages);

        pages.allocate(0);

        assertEquals(PageAllocator.NONE, pages.largestUnreportedOrder());
    }

    @Test
    void losesTheMarkWhenAPartComesBack() {
        ReportablePages pages = new BuddyAllocator(0, 1024);
        reportAll(pages);
        int page = pages.allocate(0);

        pages.free(page, 0);

        assertEquals(10, pages.largestUnreportedOrder());
    }

    @Test
    void losesTheMarkBelowTheLowestOrder() {
        ReportablePages pages = new BuddyAllocator(0, 32);
        reportAll(pages);
        int low = pages.allocate(4);
        int high = pages.allocate(4);

        pages.free(high, 4);
        pages.free(low, 4);

        assertEquals(5, pages.largestUnreportedOrder());
    }

    @Test
    void keepsTheMarkOfBuddiesThatBothHaveIt() {
        ReportablePages pages = new BuddyAllocator(0, 64);
        int low = pages.allocate(5);
        int high = pages.isolateUnreported(5);

        pages.freeReported(high, 5);
        pages.freeReported(low, 5);

        assertEquals(PageAllocator.NONE, pages.largestUnreportedOrder());
        assertEquals(6, pages.largestFreeOrder());
    }

    @Test
    void losesTheMarkOfABuddyThatMergesWithAnUnreportedOne() {
        ReportablePages pages = new BuddyAllocator(0, 64);
        int low = pages.allocate(5);
        int high = pages.isolateUnreported(5);

        pages.free(low, 5);
        pages.freeReported(high, 5);

        assertEquals(6, pages.largestUnreportedOrder());
    }

    @Test
    void marksNothingThatIsGivenBackUnreported() {
        ReportablePages pages = new BuddyAllocator(0, 1024);

        pages.free(pages.isolateUnreported(10), 10);

        assertEquals(10, pages.largestUnreportedOrder());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, LOWEST - 1, 11})
    void refusesOrdersThatHaveNoMarks(int order) {
        ReportablePages pages = new BuddyAllocator(0, 1024);
        int pfn = pages.allocate(10);

        assertThrows(IllegalArgumentException.class, () -> pages.isolateUnreported(order));
        assertThrows(IllegalArgumentException.class, () -> pages.freeReported(pfn, order));
        assertEquals(0, pages.freePages());
    }

    @Test
    void refusesToReportWhatIsFree() {
        ReportablePages pages = new BuddyAllocator(0, 1024);

        assertThrows(IllegalStateException.class, () -> pages.freeReported(0, 5));
    }

    /**
     * The model knows which frames were reported and not handed out since. A block that is not
     * offered for a report must consist of such frames. The reverse does not hold: a mark may be
     * lost, when a block has merged with another and is split again.
     */
    @ParameterizedTest
    @MethodSource("seeds")
    void neverMarksAFrameThatWasInUseSince(long seed) {
        Random random = new Random(seed);
        int count = 64 + random.nextInt(400);
        int first = random.nextInt(3000);
        BuddyAllocator pages = new BuddyAllocator(first, count);
        BitSet taken = new BitSet();
        BitSet reported = new BitSet();
        List<FreePagesModel.Block> isolated = new ArrayList<>();

        for (int step = 0; step < STEPS; step++) {
            assertMarksAreRight(pages, reported, seed);
            int order = random.nextInt(1 + random.nextInt(11));
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    int pfn = pages.allocate(order);
                    if (pfn >= 0) {
                        taken.set(pfn, pfn + (1 << order));
                        reported.clear(pfn, pfn + (1 << order));
                    }
                }
                case 2 -> freeSome(pages, taken, first + random.nextInt(count), order);
                default -> {
                    int large = Math.max(order, LOWEST);
                    if (random.nextBoolean()) {
                        isolated.forEach(block -> freeBuddy(pages, taken, block));
                    }
                    giveBackReported(pages, isolated, reported);
                    int pfn = random.nextInt(4) == 0 ? pages.isolateUnreported(large) : -1;
                    if (pfn >= 0) {
                        isolated.add(new FreePagesModel.Block(pfn, large));
                    }
                }
            }
        }
    }

    /** Frees what is allocated of a block's buddy, so that both merge when the block is back. */
    private static void freeBuddy(BuddyAllocator pages, BitSet taken, FreePagesModel.Block block) {
        int buddy = block.pfn() ^ (1 << block.order());
        int end = buddy + (1 << block.order());
        for (int page = taken.nextSetBit(buddy); page >= 0 && page < end; ) {
            pages.free(page, 0);
            taken.clear(page);
            page = taken.nextSetBit(page);
        }
    }

    /** What is isolated comes back later, when its neighbours may have been freed. */
    private static void giveBackReported(
            BuddyAllocator pages, List<FreePagesModel.Block> isolated, BitSet reported) {
        for (FreePagesModel.Block block : isolated) {
            pages.freeReported(block.pfn(), block.order());
            reported.set(block.pfn(), (int) block.endPfn());
        }
        isolated.clear();
    }

    /** Frees the block around a page if it is allocated as a whole. */
    private static void freeSome(BuddyAllocator pages, BitSet taken, int page, int order) {
        int pfn = page & -(1 << order);
        if (taken.get(pfn, pfn + (1 << order)).cardinality() == 1 << order) {
            pages.free(pfn, order);
            taken.clear(pfn, pfn + (1 << order));
        }
    }

    /**
     * Takes all free blocks out, those to be reported and then the others, looks at them, and puts
     * them back as they were.
     */
    private static void assertMarksAreRight(BuddyAllocator pages, BitSet reported, long seed) {
        List<FreePagesModel.Block> unmarked = new ArrayList<>();
        while (pages.largestUnreportedOrder() != PageAllocator.NONE) {
            int order = pages.largestUnreportedOrder();
            unmarked.add(new FreePagesModel.Block(pages.isolateUnreported(order), order));
        }
        List<FreePagesModel.Block> marked = new ArrayList<>();
        while (pages.largestFreeOrder() >= LOWEST) {
            int order = pages.largestFreeOrder();
            marked.add(new FreePagesModel.Block(pages.allocate(order), order));
        }

        for (FreePagesModel.Block block : unmarked) {
            pages.free(block.pfn(), block.order());
        }
        for (FreePagesModel.Block block : marked) {
            BitSet frames = reported.get(block.pfn(), (int) block.endPfn());
            assertEquals(1 << block.order(), frames.cardinality(), Seeds.replay(seed));
            pages.freeReported(block.pfn(), block.order());
        }
    }
}
