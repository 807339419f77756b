package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.guest.page.FreePagesModel.Block;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Every span of 1 to 70 page frames at 71 places in a row, each taken whole and given back at every
 * order that fits. The places begin at PFN 0, and around the border of blocks of the highest order.
 */
final class BuddyAllocatorExhaustiveTest {

    private static final int PLACES = 71;
    private static final int LONGEST = 70;
    private static final int HIGHEST_FITTING_ORDER = 6;

    @ParameterizedTest
    @ValueSource(ints = {0, 1024 - 35, 0x7fff_0000 - 35})
    void everySmallSpanStartsWithItsLargestBlocks(int firstPlace) {
        for (int firstPfn = firstPlace; firstPfn < firstPlace + PLACES; firstPfn++) {
            for (int pages = 1; pages <= LONGEST; pages++) {
                BuddyAllocator allocator = new BuddyAllocator(firstPfn, pages);

                assertEquals(pages, allocator.totalPages());
                assertAllFree(allocator, firstPfn, pages);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1024 - 35, 0x7fff_0000 - 35})
    void everySmallSpanComesBackWholeInWhateverOrderItIsFreed(int firstPlace) {
        for (int firstPfn = firstPlace; firstPfn < firstPlace + PLACES; firstPfn++) {
            for (int pages = 1; pages <= LONGEST; pages++) {
                BuddyAllocator allocator = new BuddyAllocator(firstPfn, pages);
                for (int order = 0; order <= HIGHEST_FITTING_ORDER; order++) {
                    roundTrips(allocator, firstPfn, pages, order);
                }
            }
        }
    }

    /**
     * Takes every aligned block of one order, in three turns freed up, down, and odd after even.
     */
    private static void roundTrips(BuddyAllocator allocator, int firstPfn, int pages, int order) {
        List<Integer> expected = alignedBlocks(firstPfn, pages, order);
        List<List<Integer>> freeingOrders = freeingOrders(expected, order);
        for (int turn = 0; turn < freeingOrders.size(); turn++) {
            List<Integer> taken = BuddyAllocatorTest.allocateAll(allocator, order);
            Collections.sort(taken);
            assertEquals(expected, taken);
            assertEquals(pages - ((long) taken.size() << order), allocator.freePages());

            freeingOrders.get(turn).forEach(pfn -> allocator.free(pfn, order));
            assertAllFree(allocator, firstPfn, pages);
        }
    }

    private static List<Integer> alignedBlocks(int firstPfn, int pages, int order) {
        List<Integer> pfns = new ArrayList<>();
        for (int pfn = firstPfn; pfn + (1 << order) <= firstPfn + pages; pfn++) {
            if (pfn % (1 << order) == 0) {
                pfns.add(pfn);
            }
        }
        return pfns;
    }

    private static List<List<Integer>> freeingOrders(List<Integer> ascending, int order) {
        List<Integer> descending = new ArrayList<>(ascending);
        Collections.reverse(descending);
        List<Integer> oddAfterEven = new ArrayList<>(ascending);
        oddAfterEven.sort(Comparator.comparingInt(pfn -> (pfn >> order) & 1));
        return List.of(ascending, descending, oddAfterEven);
    }

    /** Compares the free blocks with the model's by taking them, and puts them back. */
    private static void assertAllFree(BuddyAllocator allocator, int firstPfn, int pages) {
        FreePagesModel model = new FreePagesModel(firstPfn, pages);
        assertEquals(pages, allocator.freePages());
        assertEquals(model.largestFreeOrder(), allocator.largestFreeOrder());

        List<Block> blocks = BuddyAllocatorTest.drain(allocator);
        blocks.forEach(block -> allocator.free(block.pfn(), block.order()));

        blocks.sort(Comparator.comparingInt(Block::pfn));
        assertEquals(model.freeBlocks(), blocks);
    }
}
