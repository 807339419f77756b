package io.aerostat.balloon.range;

import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * A list of page ranges with room made beforehand. One thread's.
 *
 * <p>A range is kept in one long, {@code first pfn << 24 | pages}, so that sorting the longs orders
 * the ranges by address: 32 bits of page number and 24 bits of length leave the sign bit alone.
 */
public final class PageRanges {
    /** Most pages that one range may have: 64 GiB less a page. */
    public static final int MAX_RANGE_PAGES = (1 << 24) - 1;

    private static final int PAGES_BITS = 24;

    private final long[] packed;
    private int count;

    /** A list with room for {@code capacity} ranges. */
    public PageRanges(int capacity) {
        if (capacity <= 0) {
            throw new IllegalArgumentException("range list needs room: capacity=" + capacity);
        }
        packed = new long[capacity];
    }

    /** How many ranges there are. */
    public int count() {
        return count;
    }

    /** How many ranges there is room for. */
    public int capacity() {
        return packed.length;
    }

    /** First page number of range {@code index}, 0 to 2^32 - 1. */
    public long pfn(int index) {
        return packed[index] >>> PAGES_BITS;
    }

    /** Pages of range {@code index}. */
    public int pages(int index) {
        return (int) packed[index] & MAX_RANGE_PAGES;
    }

    /** Guest-physical address of range {@code index}. */
    public long gpa(int index) {
        return pfn(index) << PageFrame.SHIFT;
    }

    /** Bytes of range {@code index}. */
    public long bytes(int index) {
        return (long) pages(index) << PageFrame.SHIFT;
    }

    /** Pages of all ranges. */
    public long pages() {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += pages(i);
        }
        return sum;
    }

    /** Bytes of all ranges. */
    public long bytes() {
        return pages() << PageFrame.SHIFT;
    }

    /** Forgets all ranges. */
    public void clear() {
        count = 0;
    }

    /**
     * Appends a range.
     *
     * @param pfn first page number, 0 to 2^32 - 1
     * @param pages 1 to {@link #MAX_RANGE_PAGES}
     */
    public void add(long pfn, int pages) {
        if (pfn >>> Integer.SIZE != 0 || pages <= 0 || pages > MAX_RANGE_PAGES) {
            throw new IllegalArgumentException(
                    "no such page range: pfn=" + pfn + ", pages=" + pages);
        }
        packed[count++] = pfn << PAGES_BITS | pages;
    }

    /**
     * Orders the ranges by address and merges those that touch or overlap.
     *
     * @param sort with room for this list
     * @return how many pages stood in the list more than once, counted once for each time too many
     */
    long normalize(RangeSort sort) {
        if (!isAscending()) {
            sort.sort(packed, count, PAGES_BITS);
        }
        long surplus = 0;
        int last = 0;
        for (int i = 1; i < count; i++) {
            long end = pfn(last) + pages(last);
            long nextEnd = pfn(i) + pages(i);
            long overlap = end - pfn(i);
            if (overlap < 0) {
                packed[++last] = packed[i];
                continue;
            }
            surplus += Math.min(overlap, pages(i));
            long merged = Math.max(end, nextEnd) - pfn(last);
            if (merged <= MAX_RANGE_PAGES) {
                packed[last] = pfn(last) << PAGES_BITS | merged;
            } else {
                packed[++last] = end << PAGES_BITS | (nextEnd - end);
            }
        }
        count = count == 0 ? 0 : last + 1;
        return surplus;
    }

    // Looking first is 8 times cheaper than sorting what is in order already, and what a guest
    // sends mostly is.
    private boolean isAscending() {
        for (int i = 1; i < count; i++) {
            if (packed[i - 1] > packed[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("PageRanges[");
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : ", ").append(pfn(i)).append('+').append(pages(i));
        }
        return text.append(']').toString();
    }
}
