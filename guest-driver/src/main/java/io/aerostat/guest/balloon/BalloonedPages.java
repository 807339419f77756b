package io.aerostat.guest.balloon;

import java.util.BitSet;

/**
 * The pages that the device has confirmed to be in the balloon and that stay in it for now: one bit
 * a page. Pages leave by ascending number, so that runs stay runs, or one by one when they are
 * moved for another.
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

    boolean contains(int pfn) {
        return pfn >= 0 && pages.get(pfn);
    }

    void add(int pfn) {
        pages.set(pfn);
        lowest = count == 0 ? pfn : Math.min(lowest, pfn);
        count++;
    }

    /** Takes out the page of the lowest number. There must be one. */
    int takeLowest() {
        int pfn = pages.nextSetBit(lowest);
        remove(pfn);
        lowest = pfn + 1;
        return pfn;
    }

    /** Takes out a page that is in. */
    void remove(int pfn) {
        pages.clear(pfn);
        count--;
    }
}
