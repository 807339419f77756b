package io.aerostat.guest.page;

import org.jspecify.annotations.Nullable;

/**
 * A binary buddy allocator over one span of page frames.
 *
 * <h2>Vocabulary</h2>
 *
 * <ul>
 *   <li><b>span</b>: the page frames this allocator has, from the first PFN on; of any length, and
 *       starting anywhere.
 *   <li><b>block</b> of order <i>n</i>: 2<sup>n</sup> page frames, the first PFN a multiple of
 *       2<sup>n</sup>. Alignment is that of the PFN itself, not of the distance to the span's
 *       start, as in Linux; orders go up to 10 (1024 page frames, 4 MiB), as there.
 *   <li><b>buddies</b>: the two blocks of order <i>n</i> that make one of order <i>n</i> + 1. Their
 *       numbers (PFN / 2<sup>n</sup>) differ in the lowest bit only.
 *   <li><b>free block</b>: a block that is kept in the set of its order. A page frame is free if a
 *       free block covers it, and allocated if none does; there is no other record of it.
 *   <li><b>unreported block</b>: a free block of order {@link #LOWEST_REPORTABLE_ORDER} or more
 *       that the host has not been told of. A second set of each such order keeps them.
 * </ul>
 *
 * <h2>Picture</h2>
 *
 * <p>The span of ten page frames from PFN 0 on, after PFNs 0 to 3 were taken as one block and PFN 6
 * as another. {@code #} is a free block, {@code .} a block that is not in its set.
 *
 * <pre>
 *   PFN         0    1    2    3    4    5    6    7    8    9
 *             +-------------------+---------+----+----+---------+
 *             | a l l o c a t e d |  free   | a. |free|  free   |
 *             +-------------------+---------+----+----+---------+
 *   order 3     .
 *   order 2     .                   .                   (leaves the span)
 *   order 1     .         .         #         .         #
 *   order 0     .    .    .    .    .    .    .    #    .    .
 * </pre>
 *
 * <p>Freeing PFN 6 merges 6 with its buddy 7, then 6-7 with 4-5, and stops at order 2, because 0-3
 * is allocated. 8-9 has no buddy in the span and stays what it is.
 *
 * <h2>Invariants</h2>
 *
 * <ol>
 *   <li>Free blocks lie in the span and do not overlap.
 *   <li>Two buddies below the highest order are never both free: they would have been merged. So
 *       the set of free page frames alone decides which free blocks there are; the history does
 *       not.
 *   <li>{@link #freePages()} is the sum of the lengths of the free blocks.
 *   <li>Unreported blocks are free blocks. No page frame of a free block that could be in the
 *       second set and isn't was allocated since it was reported. Marks have no say in what is
 *       handed out.
 * </ol>
 *
 * <h2>Algorithm</h2>
 *
 * <ol>
 *   <li><b>allocate</b>: of the lowest order that is high enough and has a free block, take the
 *       block with the lowest PFN. While it is too large, put its upper half in the set one order
 *       below and keep the lower half. Upper halves are as unreported as the block was.
 *   <li><b>free</b>: check that no free block overlaps the given one. While its buddy is free, take
 *       the buddy out of its set and go on with the block of both. Put the result in its set; it is
 *       reported only if it was given back so and so was every buddy.
 * </ol>
 *
 * <p>The lowest address comes first, not the block freed last. Page frames that are allocated one
 * after the other are then mostly neighbours, so that what a balloon driver takes merges into few
 * ranges for the host to discard; frames in use gather at the low end and leave whole blocks above;
 * and every run can be replayed, because a result follows from the set of free frames (invariant
 * 2). What Linux gains from last-freed-first, a page still in the processor's cache, has no
 * counterpart here.
 *
 * <p>The sets are bitmaps with summaries, one an order, so the whole state is just over two bits a
 * page frame: about 0.27 byte of Java heap, 280 KB for a guest of 4 GiB. Nothing is allocated after
 * construction, and each operation takes a bounded number of steps, whatever the span's length.
 */
public final class BuddyAllocator implements ReportablePages {

    /** The highest order: blocks of 1024 page frames, 4 MiB. */
    public static final int MAX_ORDER = 10;

    /**
     * The lowest order of blocks that can be marked as reported: 32 page frames, 128 KiB. Smaller
     * ones are rarely worth a report, and their marks would double the memory of this allocator.
     */
    public static final int LOWEST_REPORTABLE_ORDER = 5;

    /** PFNs are ints that are never negative, which leaves 8 TiB of addresses. */
    private static final long PFN_LIMIT = 1L << 31;

    private final int firstPfn;
    private final int lastPfn;

    /**
     * The first PFN rounded down to a block of the highest order. Frames are counted from here, in
     * an int that can't overflow, and keep the alignment of their PFNs.
     */
    private final int basePfn;

    /** The numbers of the free blocks, counted from {@link #basePfn}; one set an order. */
    private final BlockSet[] freeBlocks = new BlockSet[MAX_ORDER + 1];

    /** Those of them that are unreported; null below the lowest reportable order. */
    private final @Nullable BlockSet[] unreportedBlocks = new BlockSet[MAX_ORDER + 1];

    private long freePages;

    /**
     * Takes over a span of page frames, all of them free.
     *
     * @param firstPfn the span's first PFN, not negative
     * @param pages the number of page frames, at least 1
     * @throws IllegalArgumentException if the span is empty, or reaches above 8 TiB, where PFNs no
     *     longer fit
     */
    public BuddyAllocator(long firstPfn, long pages) {
        checkSpan(firstPfn, pages);
        this.firstPfn = (int) firstPfn;
        this.lastPfn = (int) (firstPfn + pages - 1);
        this.basePfn = this.firstPfn & -blockPages(MAX_ORDER);
        int lastNumber = (lastPfn - basePfn) >> MAX_ORDER;
        for (int order = 0; order <= MAX_ORDER; order++) {
            // Whole blocks of the highest order: the buddy of any smaller block has a bit.
            long blocks = (lastNumber + 1L) << (MAX_ORDER - order);
            freeBlocks[order] = new BlockSet(blocks);
            if (order >= LOWEST_REPORTABLE_ORDER) {
                unreportedBlocks[order] = new BlockSet(blocks);
            }
        }
        addLargestBlocks();
        freePages = pages;
    }

    @Override
    public int allocate(int order) {
        checkOrder(order);
        int from = lowestOrderWithFreeBlock(order);
        if (from == NONE) {
            return NONE;
        }
        int number = freeBlocks[from].lowest();
        boolean isReported = isReported(from, number);
        remove(from, number);
        while (from > order) {
            from--;
            number <<= 1;
            add(from, number + 1, isReported);
        }
        freePages -= blockPages(order);
        return basePfn + (number << order);
    }

    @Override
    public void free(int pfn, int order) {
        free(pfn, order, false);
    }

    @Override
    public void freeReported(int pfn, int order) {
        checkReportable(order);
        free(pfn, order, true);
    }

    private void free(int pfn, int order, boolean reported) {
        checkBlock(pfn, order);
        checkAllocated(pfn, order);
        int merged = order;
        int number = (pfn - basePfn) >> order;
        boolean isReported = reported;
        while (merged < MAX_ORDER && freeBlocks[merged].contains(number ^ 1)) {
            isReported &= isReported(merged, number ^ 1);
            remove(merged, number ^ 1);
            number >>= 1;
            merged++;
        }
        add(merged, number, isReported);
        freePages += blockPages(order);
    }

    @Override
    public int isolateUnreported(int order) {
        checkReportable(order);
        BlockSet unreported = unreportedBlocks[order];
        int number = unreported == null ? BlockSet.NONE : unreported.lowest();
        if (number == BlockSet.NONE) {
            return NONE;
        }
        remove(order, number);
        freePages -= blockPages(order);
        return basePfn + (number << order);
    }

    @Override
    public int largestUnreportedOrder() {
        for (int order = MAX_ORDER; order >= LOWEST_REPORTABLE_ORDER; order--) {
            BlockSet unreported = unreportedBlocks[order];
            if (unreported != null && !unreported.isEmpty()) {
                return order;
            }
        }
        return NONE;
    }

    @Override
    public int lowestReportableOrder() {
        return LOWEST_REPORTABLE_ORDER;
    }

    @Override
    public long freePages() {
        return freePages;
    }

    @Override
    public long totalPages() {
        return lastPfn - firstPfn + 1L;
    }

    @Override
    public int largestFreeOrder() {
        for (int order = MAX_ORDER; order >= 0; order--) {
            if (!freeBlocks[order].isEmpty()) {
                return order;
            }
        }
        return NONE;
    }

    @Override
    public int maxOrder() {
        return MAX_ORDER;
    }

    /** Fills the sets from left to right, each time with the largest block that starts there. */
    private void addLargestBlocks() {
        long pfn = firstPfn;
        while (pfn <= lastPfn) {
            int order = MAX_ORDER;
            while (!isAligned(pfn, order) || pfn + blockPages(order) - 1 > lastPfn) {
                order--;
            }
            add(order, (int) (pfn - basePfn) >> order, false);
            pfn += blockPages(order);
        }
    }

    private void add(int order, int number, boolean isReported) {
        freeBlocks[order].add(number);
        BlockSet unreported = unreportedBlocks[order];
        if (unreported != null && !isReported) {
            unreported.add(number);
        }
    }

    private void remove(int order, int number) {
        freeBlocks[order].remove(number);
        BlockSet unreported = unreportedBlocks[order];
        if (unreported != null) {
            unreported.remove(number);
        }
    }

    /** Of a free block; one too small for a mark has none. */
    private boolean isReported(int order, int number) {
        BlockSet unreported = unreportedBlocks[order];
        return unreported != null && !unreported.contains(number);
    }

    private int lowestOrderWithFreeBlock(int atLeast) {
        for (int order = atLeast; order <= MAX_ORDER; order++) {
            if (!freeBlocks[order].isEmpty()) {
                return order;
            }
        }
        return NONE;
    }

    private void checkBlock(int pfn, int order) {
        checkOrder(order);
        if (pfn < firstPfn || pfn + (blockPages(order) - 1L) > lastPfn) {
            throw new IllegalArgumentException(
                    describe("block is outside the span", pfn, order)
                            + (", firstPfn=" + firstPfn)
                            + (", lastPfn=" + lastPfn));
        }
        if (!isAligned(pfn, order)) {
            throw new IllegalArgumentException(
                    describe("PFN is not aligned to the order", pfn, order));
        }
    }

    /**
     * Refuses a block that a free one overlaps, be it smaller, equal or larger: in the bitmap of
     * each order, the numbers from that of the block's first frame to that of its last must be
     * missing.
     */
    private void checkAllocated(int pfn, int order) {
        int first = pfn - basePfn;
        int last = first + blockPages(order) - 1;
        for (int other = 0; other <= MAX_ORDER; other++) {
            int number = freeBlocks[other].lowestIn(first >> other, last >> other);
            if (number != BlockSet.NONE) {
                throw new IllegalStateException(
                        describe("block is free already, wholly or in part", pfn, order)
                                + (", freePfn=" + (basePfn + (number << other)))
                                + (", freeOrder=" + other));
            }
        }
    }

    private static void checkOrder(int order) {
        if (order < 0 || order > MAX_ORDER) {
            throw new IllegalArgumentException(
                    "order out of range: order=" + order + ", maxOrder=" + MAX_ORDER);
        }
    }

    private static void checkReportable(int order) {
        if (order < LOWEST_REPORTABLE_ORDER || order > MAX_ORDER) {
            throw new IllegalArgumentException(
                    "no order of blocks to report: order="
                            + order
                            + (", lowest=" + LOWEST_REPORTABLE_ORDER)
                            + (", maxOrder=" + MAX_ORDER));
        }
    }

    private static void checkSpan(long firstPfn, long pages) {
        if (firstPfn < 0 || pages < 1) {
            throw new IllegalArgumentException(
                    "not a span of page frames: firstPfn=" + firstPfn + ", pages=" + pages);
        }
        if (firstPfn >= PFN_LIMIT || pages > PFN_LIMIT - firstPfn) {
            throw new IllegalArgumentException(
                    "span reaches above 8 TiB, where PFNs no longer fit: firstPfn="
                            + firstPfn
                            + (", pages=" + pages)
                            + (", pfnLimit=" + PFN_LIMIT));
        }
    }

    private static String describe(String what, int pfn, int order) {
        return what + ": pfn=" + pfn + ", order=" + order;
    }

    private static boolean isAligned(long pfn, int order) {
        return (pfn & (blockPages(order) - 1)) == 0;
    }

    private static int blockPages(int order) {
        return 1 << order;
    }
}
