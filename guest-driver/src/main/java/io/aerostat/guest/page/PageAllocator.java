package io.aerostat.guest.page;

/**
 * Hands out the guest's page frames in blocks and takes them back.
 *
 * <p>A page frame is 4 KiB of guest RAM and has a number, its PFN: guest physical address divided
 * by 4096. A block of order <i>n</i> is 2<sup>n</sup> adjacent page frames whose first PFN is a
 * multiple of 2<sup>n</sup>. PFNs are non-negative.
 *
 * <p>The allocator remembers page frames, not blocks: what was allocated as one block may be freed
 * in pieces, in any order, and pieces may be freed together. A balloon driver can so take large
 * blocks and later give back single pages.
 *
 * <p>Not thread-safe: one thread, the guest's, makes all calls.
 */
public interface PageAllocator {

    /** The result that stands for "no such block". No PFN and no order has this value. */
    int NONE = -1;

    /**
     * Takes a free block of the given order. Its content is undefined.
     *
     * @param order the block's order, from 0 to {@link #maxOrder()}
     * @return the PFN of the block's first page frame, or {@link #NONE} if no free block is that
     *     large, which may be so although {@link #freePages()} is higher
     * @throws IllegalArgumentException if the order is out of range
     */
    int allocate(int order);

    /**
     * Gives a block of page frames back. All of them must be allocated; it does not matter in what
     * blocks they were handed out. When this method throws, nothing has changed.
     *
     * <p>A caller that frees more than it owns is found out if a page frame of the block is free
     * already, or is no page frame of this allocator. If they all are allocated, to whomever, it
     * can't be.
     *
     * @param pfn the PFN of the block's first page frame, a multiple of 2<sup>order</sup>
     * @param order the block's order, from 0 to {@link #maxOrder()}
     * @throws IllegalArgumentException if there is no such block: the order is out of range, the
     *     PFN isn't aligned to it, or the block isn't wholly in this allocator's span
     * @throws IllegalStateException if a page frame of the block is free already
     */
    void free(int pfn, int order);

    /**
     * How many page frames are free, in blocks of any order.
     *
     * @return the free page frames, at most {@link #totalPages()}
     */
    long freePages();

    /**
     * How many page frames this allocator has, free and allocated. Never changes.
     *
     * @return all page frames
     */
    long totalPages();

    /**
     * The order of the largest block that {@link #allocate} would find now.
     *
     * @return an order, or {@link #NONE} if no page frame is free
     */
    int largestFreeOrder();

    /**
     * The highest order that this allocator deals in. Never changes.
     *
     * @return an order
     */
    int maxOrder();
}
