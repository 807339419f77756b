package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.BitSet;
import java.util.stream.Stream;

/**
 * The contract of {@link PageAllocator}, for every implementation: 3000 page frames from PFN 100.
 */
final class PageAllocatorContractTest {

    private static final int FIRST_PFN = 100;
    private static final int PAGES = 3000;

    static Stream<PageAllocator> allocators() {
        return Stream.of(
                new BuddyAllocator(FIRST_PFN, PAGES),
                new ExhaustingPageAllocator(new BuddyAllocator(FIRST_PFN, PAGES)));
    }

    @ParameterizedTest
    @MethodSource("allocators")
    void startsWithEveryPageFree(PageAllocator allocator) {
        assertEquals(PAGES, allocator.totalPages());
        assertEquals(PAGES, allocator.freePages());
        assertEquals(allocator.maxOrder(), allocator.largestFreeOrder());
    }

    @ParameterizedTest
    @MethodSource("allocators")
    void handsOutAlignedBlocksOfEveryOrderThatNeverOverlap(PageAllocator allocator) {
        BitSet taken = new BitSet();

        int orders = allocator.maxOrder() + 1;
        for (int turn = 0; turn < PAGES * orders && allocator.freePages() > 0; turn++) {
            int order = turn % orders;
            int pfn = allocator.allocate(order);
            if (pfn != PageAllocator.NONE) {
                int end = pfn + (1 << order);
                assertEquals(0, pfn % (1 << order));
                assertTrue(pfn >= FIRST_PFN && end <= FIRST_PFN + PAGES);
                assertTrue(taken.get(pfn, end).isEmpty());
                taken.set(pfn, end);
                assertEquals(PAGES - taken.cardinality(), allocator.freePages());
            }
        }

        assertEquals(PAGES, taken.cardinality());
        assertEquals(PageAllocator.NONE, allocator.largestFreeOrder());
        assertEquals(PageAllocator.NONE, allocator.allocate(0));
    }

    @ParameterizedTest
    @MethodSource("allocators")
    void findsABlockOfTheLargestFreeOrderAndNoneAboveIt(PageAllocator allocator) {
        for (int turn = 0; turn < PAGES && allocator.freePages() > 0; turn++) {
            int order = allocator.largestFreeOrder();
            for (int above = order + 1; above <= allocator.maxOrder(); above++) {
                assertEquals(PageAllocator.NONE, allocator.allocate(above));
            }
            assertNotEquals(PageAllocator.NONE, allocator.allocate(order));
        }
        assertEquals(0, allocator.freePages());
        assertEquals(PageAllocator.NONE, allocator.largestFreeOrder());
    }

    @ParameterizedTest
    @MethodSource("allocators")
    void takesALargeBlockBackPageByPage(PageAllocator allocator) {
        int pfn = allocator.allocate(8);

        for (int page = 0; page < 256; page++) {
            allocator.free(pfn + page, 0);
            assertEquals(PAGES - 256 + page + 1, allocator.freePages());
        }

        assertEquals(pfn, allocator.allocate(8));
    }

    @ParameterizedTest
    @MethodSource("allocators")
    void refusesCallersMistakesAndLosesNothing(PageAllocator allocator) {
        int pfn = allocator.allocate(3);
        int outside = FIRST_PFN + PAGES;
        int tooLarge = allocator.maxOrder() + 1;

        assertThrows(IllegalArgumentException.class, () -> allocator.allocate(-1));
        assertThrows(IllegalArgumentException.class, () -> allocator.allocate(tooLarge));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(pfn, -1));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(pfn, tooLarge));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(pfn + 1, 1));
        assertThrows(IllegalArgumentException.class, () -> allocator.free(outside, 0));
        assertThrows(IllegalStateException.class, () -> allocator.free(pfn + 8, 0));

        assertEquals(PAGES - 8, allocator.freePages());
        allocator.free(pfn, 3);
        assertEquals(PAGES, allocator.freePages());
    }
}
