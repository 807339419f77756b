package io.aerostat.guest.balloon;

import java.util.BitSet;

/**
 * The pages that the device has confirmed to be in the balloon: one bit a page. Pages leave by
 * ascending number, so that runs stay runs.
 */
final class BalloonedPages {
    private final BitSet pages;
    private int lowest;
    private long count;

    /** Room for page numbers below {@code endPfn} without growing. */
    BalloonedPages(int endPfn) {
        pages = new BitSet(endPfn);
    }

    long count() {
        return count;
    }

    void add(int pfn) {
        pages.set(pfn);
        lowest = count == 0 ? pfn : Math.min(lowest, pfn);
        count++;
    }

    /** Takes out the page of the lowest number. There must be one. */
    int takeLowest() {
        int pfn = pages.nextSetBit(lowest);
        pages.clear(pfn);
        lowest = pfn + 1;
        count--;
        return pfn;
    }
}
