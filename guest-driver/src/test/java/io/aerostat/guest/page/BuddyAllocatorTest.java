package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.page.FreePagesModel.Block;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** How the buddy allocator splits, merges and refuses, by example. */
final class BuddyAllocatorTest {

    @Test
    void splitsTheSmallestBlockThatIsLargeEnough() {
        // Free blocks: order 4 at 16, order 2 at 32.
        BuddyAllocator allocator = new BuddyAllocator(16, 20);

        assertEquals(32, allocator.allocate(1));
        assertEquals(34, allocator.allocate(0));
        assertEquals(35, allocator.allocate(0));
        assertEquals(16, allocator.allocate(0));
    }

    @Test
    void handsOutNeighboursInAscendingOrder() {
        BuddyAllocator allocator = new BuddyAllocator(0, 4096);

        for (int block = 0; block < 16; block++) {
            assertEquals(block * 256, allocator.allocate(8));
        }
    }

    @Test
    void handsOutTheLowestFreePageNotTheOneFreedLast() {
        BuddyAllocator allocator = new BuddyAllocator(0, 8);
        allocateAll(allocator, 0);

        allocator.free(2, 0);
        allocator.free(7, 0);
        allocator.free(5, 0);

        assertEquals(2, allocator.allocate(0));
        assertEquals(5, allocator.allocate(0));
        assertEquals(7, allocator.allocate(0));
    }

    @Test
    void mergesAsTheJavadocPictureSays() {
        BuddyAllocator allocator = new BuddyAllocator(0, 10);
        allocateAll(allocator, 0);
        allocator.free(4, 1);
        allocator.free(7, 0);
        allocator.free(8, 1);
        assertEquals(1, allocator.largestFreeOrder());

        allocator.free(6, 0);

        assertEquals(List.of(new Block(4, 2), new Block(8, 1)), drain(allocator));
    }

    @Test
    void doesNotMergeNeighboursThatAreNotBuddies() {
        BuddyAllocator allocator = new BuddyAllocator(0, 4);
        allocateAll(allocator, 0);

        allocator.free(1, 0);
        allocator.free(2, 0);

        assertEquals(0, allocator.largestFreeOrder());
        assertEquals(PageAllocator.NONE, allocator.allocate(1));
    }

    @Test
    void doesNotMergeAboveTheHighestOrder() {
        BuddyAllocator allocator = new BuddyAllocator(0, 2048);
        allocateAll(allocator, 10);

        allocator.free(0, 10);
        allocator.free(1024, 10);

        assertEquals(10, allocator.maxOrder());
        assertEquals(List.of(new Block(0, 10), new Block(1024, 10)), drain(allocator));
    }

    @Test
    void alignsBlocksByTheirPfnAndNotByTheirPlaceInTheSpan() {
        BuddyAllocator allocator = new BuddyAllocator(1023, 1026);

        assertEquals(
                List.of(new Block(1024, 10), new Block(1023, 0), new Block(2048, 0)),
                drain(allocator));
    }

    @Test
    void takesAPieceOutOfTheMiddleOfABlock() {
        BuddyAllocator allocator = new BuddyAllocator(0, 256);
        assertEquals(0, allocator.allocate(8));

        allocator.free(100, 0);

        assertEquals(1, allocator.freePages());
        assertEquals(100, allocator.allocate(0));
        assertEquals(0, allocator.freePages());
    }

    @Test
    void takesPiecesBackAsOneBlock() {
        BuddyAllocator allocator = new BuddyAllocator(0, 256);
        allocateAll(allocator, 0);

        allocator.free(0, 8);

        assertEquals(8, allocator.largestFreeOrder());
    }

    @Test
    void refusesADoubleFreeOfAPageThatHasMerged() {
        BuddyAllocator allocator = new BuddyAllocator(0, 1024);
        int pfn = allocator.allocate(0);
        allocator.free(pfn, 0);

        assertMessage(
                IllegalStateException.class,
                "block is free already, wholly or in part: pfn=0, order=0, freePfn=0, freeOrder=10",
                () -> allocator.free(pfn, 0));
        assertEquals(List.of(new Block(0, 10)), drain(allocator));
    }

    @Test
    void refusesAnOrderThatReachesIntoFreePages() {
        BuddyAllocator allocator = new BuddyAllocator(0, 1024);
        allocator.allocate(2);

        assertMessage(
                IllegalStateException.class,
                "block is free already, wholly or in part: pfn=0, order=3, freePfn=4, freeOrder=2",
                () -> allocator.free(0, 3));
        assertEquals(1020, allocator.freePages());
    }

    @Test
    void refusesABlockOneOfWhosePagesIsFree() {
        for (int hole = 0; hole < 1024; hole++) {
            BuddyAllocator allocator = new BuddyAllocator(0, 1024);
            allocator.allocate(10);
            allocator.free(hole, 0);

            assertThrows(IllegalStateException.class, () -> allocator.free(0, 10));

            assertEquals(1, allocator.freePages());
            assertEquals(hole, allocator.allocate(0));
        }
    }

    @Test
    void refusesBlocksOutsideTheSpan() {
        BuddyAllocator allocator = new BuddyAllocator(100, 50);
        allocateAll(allocator, 0);

        assertMessage(
                IllegalArgumentException.class,
                "block is outside the span: pfn=99, order=0, firstPfn=100, lastPfn=149",
                () -> allocator.free(99, 0));
        assertMessage(
                IllegalArgumentException.class,
                "block is outside the span: pfn=148, order=2, firstPfn=100, lastPfn=149",
                () -> allocator.free(148, 2));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(150, 0));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(96, 3));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(-1, 0));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(Integer.MIN_VALUE, 10));
        assertMessage(
                IllegalArgumentException.class,
                "block is outside the span: pfn=2147483647, order=10, firstPfn=100, lastPfn=149",
                () -> allocator.free(Integer.MAX_VALUE, 10));
        assertEquals(0, allocator.freePages());
    }

    @Test
    void refusesAPfnThatIsNotAlignedToTheOrder() {
        BuddyAllocator allocator = new BuddyAllocator(0, 16);
        allocateAll(allocator, 0);

        assertMessage(
                IllegalArgumentException.class,
                "PFN is not aligned to the order: pfn=6, order=2",
                () -> allocator.free(6, 2));
        assertEquals(0, allocator.freePages());
    }

    @Test
    void refusesOrdersThatDoNotExist() {
        BuddyAllocator allocator = new BuddyAllocator(0, 4096);

        for (int order : new int[] {Integer.MIN_VALUE, -1, 11, 32, Integer.MAX_VALUE}) {
            assertMessage(
                    IllegalArgumentException.class,
                    "order out of range: order=" + order + ", maxOrder=10",
                    () -> allocator.allocate(order));
            assertThrows(IllegalArgumentException.class, () -> allocator.free(0, order));
        }
        assertEquals(4096, allocator.freePages());
    }

    @Test
    void refusesASpanWithoutPagesOrWithANegativePfn() {
        assertMessage(
                IllegalArgumentException.class,
                "not a span of page frames: firstPfn=5, pages=0",
                () -> new BuddyAllocator(5, 0));
        assertThrows(IllegalArgumentException.class, () -> new BuddyAllocator(-1, 10));
        assertThrows(IllegalArgumentException.class, () -> new BuddyAllocator(0, -1));
    }

    @Test
    void refusesRamAboveEightTebibytes() {
        long eightTebibytes = 1L << 31;

        assertMessage(
                IllegalArgumentException.class,
                "span reaches above 8 TiB, where PFNs no longer fit: "
                        + "firstPfn=2147483647, pages=2, pfnLimit=2147483648",
                () -> new BuddyAllocator(eightTebibytes - 1, 2));
        assertThrows(IllegalArgumentException.class, () -> new BuddyAllocator(eightTebibytes, 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> new BuddyAllocator(Long.MAX_VALUE, Long.MAX_VALUE));
        assertThrows(
                IllegalArgumentException.class, () -> new BuddyAllocator(0, eightTebibytes + 1));
    }

    @Test
    void reachesTheVeryLastPfn() {
        long firstPfn = Integer.MAX_VALUE - 1499L;
        BuddyAllocator allocator = new BuddyAllocator(firstPfn, 1500);

        List<Integer> pfns = allocateAll(allocator, 0);

        assertEquals(1500, pfns.size());
        assertTrue(pfns.contains(Integer.MAX_VALUE));
        assertTrue(pfns.stream().allMatch(pfn -> pfn >= firstPfn));
        pfns.forEach(pfn -> allocator.free(pfn, 0));
        assertEquals(10, allocator.largestFreeOrder());
        assertEquals(Integer.MAX_VALUE - 1023, allocator.allocate(10));
    }

    /** Allocates at one order until nothing is left at it; fails if it would never end. */
    static List<Integer> allocateAll(PageAllocator allocator, int order) {
        List<Integer> pfns = new ArrayList<>();
        for (int pfn = allocator.allocate(order);
                pfn != PageAllocator.NONE;
                pfn = allocator.allocate(order)) {
            pfns.add(pfn);
            assertTrue(pfns.size() <= allocator.totalPages(), "more blocks than page frames");
        }
        return pfns;
    }

    /**
     * Takes everything, the highest order first: without a split, so what comes out is exactly the
     * free blocks there were.
     */
    static List<Block> drain(PageAllocator allocator) {
        List<Block> blocks = new ArrayList<>();
        for (int order = allocator.maxOrder(); order >= 0; order--) {
            for (int pfn : allocateAll(allocator, order)) {
                blocks.add(new Block(pfn, order));
            }
        }
        return blocks;
    }

    private static <T extends Exception> void assertMessage(
            Class<T> type, String message, Runnable call) {
        assertEquals(message, assertThrows(type, call::run).getMessage());
    }
}
