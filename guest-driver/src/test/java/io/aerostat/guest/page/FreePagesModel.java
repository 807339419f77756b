package io.aerostat.guest.page;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * What the buddy allocator promises, said with one plain bit set of free page frames.
 *
 * <p>Since free buddies are always merged, the free blocks are the largest aligned blocks that fit
 * into the free frames, and since the lowest suitable block is taken, every result can be predicted
 * without a free list.
 */
final class FreePagesModel {

    /** A block of 2<sup>order</sup> page frames. */
    record Block(int pfn, int order) {

        long endPfn() {
            return pfn + (1L << order);
        }
    }

    private final int firstPfn;
    private final int pages;

    /** Bit i stands for PFN firstPfn + i. */
    private final BitSet free = new BitSet();

    FreePagesModel(int firstPfn, int pages) {
        this.firstPfn = firstPfn;
        this.pages = pages;
        free.set(0, pages);
    }

    /** Every free block, ascending: at each free frame the largest block that starts there. */
    List<Block> freeBlocks() {
        List<Block> blocks = new ArrayList<>();
        int start = free.nextSetBit(0);
        while (start >= 0) {
            Block block = largestBlockAt(start);
            blocks.add(block);
            start = free.nextSetBit(start + (1 << block.order()));
        }
        return blocks;
    }

    /**
     * The PFN that the allocator must return: the lowest block of the lowest order that will do.
     */
    int allocate(int order) {
        Block source =
                freeBlocks().stream()
                        .filter(block -> block.order() >= order)
                        .min(Comparator.comparingInt(Block::order).thenComparingInt(Block::pfn))
                        .orElse(null);
        if (source == null) {
            return PageAllocator.NONE;
        }
        free.clear(source.pfn() - firstPfn, source.pfn() - firstPfn + (1 << order));
        return source.pfn();
    }

    void free(Block block) {
        free.set(block.pfn() - firstPfn, (int) (block.endPfn() - firstPfn));
    }

    boolean isBlockOfTheSpan(Block block) {
        return block.order() >= 0
                && block.order() <= BuddyAllocator.MAX_ORDER
                && block.pfn() % (1L << block.order()) == 0
                && block.pfn() >= firstPfn
                && block.endPfn() <= (long) firstPfn + pages;
    }

    /** Whether every frame of a block of the span is allocated. */
    boolean isAllocated(Block block) {
        int nextFree = free.nextSetBit(block.pfn() - firstPfn);
        return nextFree < 0 || nextFree + (long) firstPfn >= block.endPfn();
    }

    boolean hasAllocatedPages() {
        return free.cardinality() < pages;
    }

    /** The first allocated frame at or after a frame of the span, going round at its end. */
    int allocatedPfnFrom(int pfn) {
        int next = free.nextClearBit(pfn - firstPfn);
        return firstPfn + (next < pages ? next : free.nextClearBit(0));
    }

    long freePages() {
        return free.cardinality();
    }

    int largestFreeOrder() {
        return freeBlocks().stream().mapToInt(Block::order).max().orElse(PageAllocator.NONE);
    }

    private Block largestBlockAt(int start) {
        int pfn = firstPfn + start;
        int run = free.nextClearBit(start) - start;
        int order = BuddyAllocator.MAX_ORDER;
        while (pfn % (1 << order) != 0 || 1 << order > run) {
            order--;
        }
        return new Block(pfn, order);
    }
}
