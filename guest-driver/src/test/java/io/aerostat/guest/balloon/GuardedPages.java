package io.aerostat.guest.balloon;

import io.aerostat.guest.page.ReportablePages;

import java.util.BitSet;

/**
 * The guest's pages, watched: it fails the test that frees a page which the device still holds, or
 * which holds rings and requests that a live device reads, and it knows who has what.
 */
final class GuardedPages implements ReportablePages {
    private final ReportablePages pages;
    private final ScriptedBalloon device;
    private final BitSet out = new BitSet();
    private boolean isWatching = true;
    long allocations;

    GuardedPages(ReportablePages pages, ScriptedBalloon device) {
        this.pages = pages;
        this.device = device;
    }

    /** Passes everything on from now on, so that it allocates nothing on the heap. */
    void stopWatching() {
        isWatching = false;
    }

    @Override
    public int allocate(int order) {
        return handOut(pages.allocate(order), order);
    }

    @Override
    public int isolateUnreported(int order) {
        return handOut(pages.isolateUnreported(order), order);
    }

    private int handOut(int pfn, int order) {
        if (pfn != NONE && isWatching) {
            allocations++;
            for (int page = pfn; page < pfn + (1 << order); page++) {
                require(!device.holds(page), "handed out while the device holds it", page);
                require(!out.get(page), "handed out twice", page);
                out.set(page);
            }
        }
        return pfn;
    }

    @Override
    public void free(int pfn, int order) {
        takeBack(pfn, order);
        pages.free(pfn, order);
    }

    @Override
    public void freeReported(int pfn, int order) {
        takeBack(pfn, order);
        pages.freeReported(pfn, order);
    }

    private void takeBack(int pfn, int order) {
        for (int page = pfn; isWatching && page < pfn + (1 << order); page++) {
            require(!device.holds(page), "freed while the device holds it", page);
            long gpa = (long) page << 12;
            require(!device.reads(gpa, gpa + 4096), "freed while the device reads it", page);
            require(out.get(page), "freed twice", page);
            out.clear(page);
        }
    }

    private static void require(boolean fact, String otherwise, int pfn) {
        if (!fact) {
            throw new AssertionError("page " + otherwise + ": pfn=" + pfn);
        }
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
        return pages.largestFreeOrder();
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
}
