package io.aerostat.guest.page;

/**
 * A page allocator that knows which of its free blocks the host has been told of, so that a free
 * page is reported once (VIRTIO 1.4, 5.5.6.7).
 *
 * <pre>
 *                isolateUnreported                    freeReported
 *   free ──────────────────────────▶ allocated ──────────────────────▶ free, reported
 *     ▲                                                                   │
 *     └──────────────── allocate, free (all or part of it) ◀──────────────┘
 * </pre>
 *
 * <p>A mark is on a whole free block, of {@link #lowestReportableOrder()} at least. Allocating from
 * a block leaves the mark on those of its parts that stay free and are large enough: they have not
 * been touched. A block that merges with its buddy keeps the mark only if both have it. So a mark
 * is never where a page was in use since it was reported; it may be lost where none was, and the
 * pages are then reported again.
 */
public interface ReportablePages extends PageAllocator {

    /**
     * The lowest order whose free blocks can be marked. Never changes.
     *
     * @return an order
     */
    int lowestReportableOrder();

    /**
     * The order of the largest free block that is not marked as reported.
     *
     * @return an order of at least {@link #lowestReportableOrder()}, or {@link #NONE}
     */
    int largestUnreportedOrder();

    /**
     * Takes a free block of exactly this order that is not marked. It is allocated then, and may be
     * given back by {@link #free} as well.
     *
     * @param order from {@link #lowestReportableOrder()} to {@link #maxOrder()}
     * @return the PFN of the block's first page frame, or {@link #NONE}
     * @throws IllegalArgumentException if the order is out of range
     */
    int isolateUnreported(int order);

    /**
     * Gives a block back like {@link #free}, and marks it as reported.
     *
     * @param pfn the PFN of the block's first page frame, a multiple of 2<sup>order</sup>
     * @param order from {@link #lowestReportableOrder()} to {@link #maxOrder()}
     * @throws IllegalArgumentException if there is no such block, as for {@link #free}, or it is
     *     too small for a mark
     * @throws IllegalStateException if a page frame of the block is free already
     */
    void freeReported(int pfn, int order);
}
