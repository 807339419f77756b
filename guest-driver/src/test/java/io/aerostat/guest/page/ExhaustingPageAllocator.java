package io.aerostat.guest.page;

/**
 * A page allocator that runs out when a test says so, however many pages are free.
 *
 * <p>It passes everything on to a real allocator, so the pages it hands out are the pages that must
 * come back, but refuses to allocate once its allowance is used up, or above a given order. The
 * first stands for a guest under pressure, the second for a fragmented one. Unlimited at the start.
 */
public final class ExhaustingPageAllocator implements ReportablePages {

    private final ReportablePages pages;
    private long allowedAllocations = Long.MAX_VALUE;
    private int highestOrder;

    public ExhaustingPageAllocator(ReportablePages pages) {
        this.pages = pages;
        this.highestOrder = pages.maxOrder();
    }

    /** Lets this many allocations succeed from now on, and none after them. */
    public void refuseAfter(long allocations) {
        allowedAllocations = allocations;
    }

    /** Finds no block above this order from now on; {@link #NONE} refuses every order. */
    public void refuseAbove(int order) {
        highestOrder = order;
    }

    @Override
    public int allocate(int order) {
        if (order >= 0 && order <= maxOrder() && isRefused(order)) {
            return NONE;
        }
        int pfn = pages.allocate(order);
        if (pfn != NONE) {
            allowedAllocations--;
        }
        return pfn;
    }

    @Override
    public void free(int pfn, int order) {
        pages.free(pfn, order);
    }

    @Override
    public long freePages() {
        return pages.freePages();
    }

    @Override
    public long totalPages() {
        return pages.totalPages();
    }

    @Override
    public int largestFreeOrder() {
        return allowedAllocations == 0 ? NONE : Math.min(pages.largestFreeOrder(), highestOrder);
    }

    @Override
    public int maxOrder() {
        return pages.maxOrder();
    }

    @Override
    public int lowestReportableOrder() {
        return pages.lowestReportableOrder();
    }

    @Override
    public int largestUnreportedOrder() {
        return pages.largestUnreportedOrder();
    }

    @Override
    public int isolateUnreported(int order) {
        return pages.isolateUnreported(order);
    }

    @Override
    public void freeReported(int pfn, int order) {
        pages.freeReported(pfn, order);
    }

    private boolean isRefused(int order) {
        return allowedAllocations == 0 || order > highestOrder;
    }
}
