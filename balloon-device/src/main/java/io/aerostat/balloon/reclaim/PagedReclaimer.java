package io.aerostat.balloon.reclaim;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.PagedArray;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Gives pages of Java arrays back to the heap: each that is wholly in the balloon becomes null, and
 * the garbage collector has it. What the process gives back to its operating system is then the
 * collector's business.
 *
 * <p>Works on every Java. Where pages of the array are larger than the guest's, the balloon puts
 * them together. Discarding belongs to the balloon's owner, as everything that touches the pages
 * does.
 */
public final class PagedReclaimer implements PageReclaimer {
    private final long gpa;
    private final PagedArray pages;
    private final AtomicLong calls = new AtomicLong();

    /**
     * A reclaimer for one region of guest RAM.
     *
     * @param gpa guest-physical address of the region, a multiple of a page of the array
     * @param pages what the region was made from
     */
    public PagedReclaimer(long gpa, PagedArray pages) {
        if (gpa < 0 || gpa % pages.pageBytes() != 0) {
            throw new IllegalArgumentException(
                    "RAM must start at a multiple of its pages: gpa=0x"
                            + (Long.toHexString(gpa) + ", pageBytes=" + pages.pageBytes()));
        }
        this.gpa = gpa;
        this.pages = pages;
    }

    /** The unit is a page of the array. */
    @Override
    public int granularityBytes() {
        return pages.pageBytes();
    }

    @Override
    public Content contentAfterDiscard() {
        return Content.ZERO;
    }

    /**
     * {@inheritDoc}
     *
     * <p>All bytes are accepted, whether there was a page or not.
     */
    @Override
    public long discard(PageRanges ranges) {
        for (int i = 0; i < ranges.count(); i++) {
            pages.requirePages(ranges.gpa(i) - gpa, ranges.bytes(i));
        }
        for (int i = 0; i < ranges.count(); i++) {
            pages.drop(ranges.gpa(i) - gpa, ranges.bytes(i));
            calls.incrementAndGet();
        }
        return ranges.bytes();
    }

    /** Does nothing: a page comes back at the first store. */
    @Override
    public void reuse(PageRanges ranges) {}

    /** Ranges that were let go of. */
    @Override
    public long discardCalls() {
        return calls.get();
    }

    @Override
    public long residentBytes(long gpa, long length) {
        return pages.residentBytes(gpa - this.gpa, length);
    }
}
