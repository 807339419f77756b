package io.aerostat.guest.mm.frame;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.guest.page.ReportablePages;

import org.agrona.collections.IntArrayList;

/**
 * The page allocator, with the frame table and the counters kept in step.
 *
 * <p>A range of frames can be avoided: single frames of it that the allocator hands out are kept
 * aside, and others are given in their stead. Compaction uses that, so that nobody moves into the
 * block it clears. When nothing else is left, the range is given up.
 */
public final class FrameSource {
    /** The answer that stands for "no frame". */
    public static final int NONE = PageAllocator.NONE;

    private final ReportablePages pages;
    private final FrameTable frames;
    private final VmCounters counters;
    private final IntArrayList isolated = new IntArrayList();
    private int avoidFirst = NONE;
    private int avoidEnd = NONE;

    /**
     * Finds out which frames are free, by taking them all and giving them back; all others stay
     * reserved.
     */
    public FrameSource(ReportablePages pages, FrameTable frames, VmCounters counters) {
        this.pages = pages;
        this.frames = frames;
        this.counters = counters;
        IntArrayList blocks = new IntArrayList();
        for (int order = pages.maxOrder(); order >= 0; order--) {
            int pfn = pages.allocate(order);
            while (pfn != NONE) {
                blocks.addInt(pfn);
                blocks.addInt(order);
                assignBlock(pfn, order, FrameUse.FREE);
                pfn = pages.allocate(order);
            }
        }
        for (int i = 0; i < blocks.size(); i += 2) {
            pages.free(blocks.getInt(i), blocks.getInt(i + 1));
        }
    }

    /**
     * Takes a frame for a use that has no owner, or none yet.
     *
     * @return its PFN, or {@link #NONE}
     */
    public int take(FrameUse use) {
        int pfn = pages.allocate(0);
        while (pfn != NONE && pfn >= avoidFirst && pfn < avoidEnd) {
            assignBlock(pfn, 0, FrameUse.ISOLATED);
            isolated.addInt(pfn);
            pfn = pages.allocate(0);
        }
        if (pfn == NONE && !isolated.isEmpty()) {
            stopAvoiding();
            pfn = pages.allocate(0);
        }
        return taken(pfn, 0, use);
    }

    /**
     * Takes a block of frames.
     *
     * @return the PFN of its first frame, or {@link #NONE}
     */
    public int takeBlock(int order, FrameUse use) {
        return taken(pages.allocate(order), order, use);
    }

    private int taken(int pfn, int order, FrameUse use) {
        if (pfn != NONE) {
            assignBlock(pfn, order, use);
            counters.add(VmCounter.PGALLOC_NORMAL, 1L << order);
        }
        return pfn;
    }

    /** Gives a block of frames back. */
    public void give(int pfn, int order) {
        pages.free(pfn, order);
        assignBlock(pfn, order, FrameUse.FREE);
        counters.add(VmCounter.PGFREE, 1L << order);
    }

    /** Takes a free block that is not marked as reported, see {@link ReportablePages}. */
    public int takeUnreported(int order, FrameUse use) {
        return taken(pages.isolateUnreported(order), order, use);
    }

    /** Gives a block of frames back, and marks it as reported. */
    public void giveReported(int pfn, int order) {
        pages.freeReported(pfn, order);
        assignBlock(pfn, order, FrameUse.FREE);
        counters.add(VmCounter.PGFREE, 1L << order);
    }

    /** The order of the largest free block that is not marked as reported, or {@link #NONE}. */
    public int largestUnreportedOrder() {
        return pages.largestUnreportedOrder();
    }

    /** The lowest order whose blocks can be marked. */
    public int lowestReportableOrder() {
        return pages.lowestReportableOrder();
    }

    private void assignBlock(int pfn, int order, FrameUse use) {
        int last = pfn + (1 << order) - 1;
        if (!frames.contains(pfn) || !frames.contains(last)) {
            throw new IllegalStateException(
                    "the allocator has page frames that are not RAM: pfn="
                            + pfn
                            + ", last="
                            + last);
        }
        for (int i = pfn; i <= last; i++) {
            frames.assign(i, use);
        }
    }

    /** Gives no single frame of a range out from now on. Another range is given up. */
    public void avoid(int firstPfn, int order) {
        stopAvoiding();
        avoidFirst = firstPfn;
        avoidEnd = firstPfn + (1 << order);
    }

    /** Gives the avoided range up: what was kept aside is free again. */
    public void stopAvoiding() {
        for (int i = 0; i < isolated.size(); i++) {
            int pfn = isolated.getInt(i);
            pages.free(pfn, 0);
            frames.assign(pfn, FrameUse.FREE);
        }
        isolated.clear();
        avoidFirst = NONE;
        avoidEnd = NONE;
    }

    /** Frames that can be taken at once. */
    public long freePages() {
        return pages.freePages();
    }

    /** Free frames that are kept aside. */
    public int isolatedPages() {
        return isolated.size();
    }

    /** All frames of the allocator. */
    public long totalPages() {
        return pages.totalPages();
    }

    /** The order of the largest free block, or {@link #NONE}. */
    public int largestFreeOrder() {
        return pages.largestFreeOrder();
    }

    /** The highest order there is. */
    public int maxOrder() {
        return pages.maxOrder();
    }
}
