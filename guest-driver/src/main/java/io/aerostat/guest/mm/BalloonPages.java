package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameSource;
import io.aerostat.guest.mm.frame.FrameTable;
import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.Watermarks;
import io.aerostat.guest.page.ReportablePages;

/**
 * The page allocator as the balloon driver sees it. It asks as Linux's driver does: not at the cost
 * of the last reserve, and not at the cost of a process.
 *
 * <ul>
 *   <li>A single page: never below the min watermark; one attempt at direct reclaim; then NONE.
 *   <li>A larger block, and one to report: only what is free above the high watermark. Nothing is
 *       reclaimed for it.
 * </ul>
 */
final class BalloonPages implements ReportablePages {
    private final FrameSource source;
    private final FrameTable frames;
    private final PageAllocation allocation;
    private final Watermarks watermarks;

    BalloonPages(
            FrameSource source,
            FrameTable frames,
            PageAllocation allocation,
            Watermarks watermarks) {
        this.source = source;
        this.frames = frames;
        this.allocation = allocation;
        this.watermarks = watermarks;
    }

    @Override
    public int allocate(int order) {
        checkOrder(order);
        if (order == 0) {
            return allocation.takeForBalloon();
        }
        return leavesHigh(order) ? source.takeBlock(order, FrameUse.BALLOON) : NONE;
    }

    @Override
    public void free(int pfn, int order) {
        checkOwned(pfn, order);
        source.give(pfn, order);
    }

    private void checkOwned(int pfn, int order) {
        checkOrder(order);
        int last = pfn + (1 << order) - 1;
        if ((pfn & ((1 << order) - 1)) != 0 || !frames.contains(pfn) || !frames.contains(last)) {
            throw new IllegalArgumentException("no such block: pfn=" + pfn + ", order=" + order);
        }
        for (int i = pfn; i <= last; i++) {
            if (frames.use(i) != FrameUse.BALLOON) {
                throw new IllegalStateException(
                        "not the balloon's page: pfn=" + i + ", use=" + frames.use(i));
            }
        }
    }

    @Override
    public int lowestReportableOrder() {
        return source.lowestReportableOrder();
    }

    @Override
    public int largestUnreportedOrder() {
        int order = source.largestUnreportedOrder();
        return order != NONE && leavesHigh(order) ? order : NONE;
    }

    @Override
    public int isolateUnreported(int order) {
        checkOrder(order);
        return leavesHigh(order) ? source.takeUnreported(order, FrameUse.BALLOON) : NONE;
    }

    @Override
    public void freeReported(int pfn, int order) {
        checkOwned(pfn, order);
        source.giveReported(pfn, order);
    }

    @Override
    public long freePages() {
        return source.freePages();
    }

    @Override
    public long totalPages() {
        return source.totalPages();
    }

    @Override
    public int largestFreeOrder() {
        for (int order = source.largestFreeOrder(); order > 0; order--) {
            if (leavesHigh(order)) {
                return order;
            }
        }
        return allocation.hasOneForBalloon() ? 0 : NONE;
    }

    @Override
    public int maxOrder() {
        return source.maxOrder();
    }

    private boolean leavesHigh(int order) {
        return source.freePages() - (1L << order) >= watermarks.highPages();
    }

    private void checkOrder(int order) {
        if (order < 0 || order > source.maxOrder()) {
            throw new IllegalArgumentException(
                    "order out of range: order=" + order + ", maxOrder=" + source.maxOrder());
        }
    }
}
