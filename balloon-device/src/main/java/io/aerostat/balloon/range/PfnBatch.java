package io.aerostat.balloon.range;

/**
 * Collects page numbers as a guest sends them, and makes ranges of them.
 *
 * <pre>
 *   page numbers    17 16 15 14 | 90 91 92 | 40 | 15          (order of arrival)
 *   runs            14+4          90+3       40+1  15+1        found while they arrive
 *   ranges          14+4  40+1  90+3                           ordered and merged; 1 page was named twice
 * </pre>
 *
 * <p>Guests mostly send pages in runs, up or down: then there is next to nothing to sort. One
 * thread's; allocates nothing after construction.
 */
public final class PfnBatch {
    private static final long LOW_WORD = 0xFFFF_FFFFL;

    private final PageRanges ranges;
    private final RangeSort sort;
    private final int capacity;
    private int count;

    // The run that is still growing: [runFirst, runFirst + runPages).
    private long runFirst;
    private int runPages;

    /** A batch with room for {@code capacity} page numbers. */
    public PfnBatch(int capacity) {
        this.capacity = capacity;
        this.ranges = new PageRanges(capacity);
        this.sort = new RangeSort(capacity);
    }

    /** How many more page numbers fit. */
    public int room() {
        return capacity - count;
    }

    /** Tells whether there are no page numbers. */
    public boolean isEmpty() {
        return count == 0;
    }

    /** Adds a page number, a le32 without sign. */
    public void add(int pfn) {
        takeRoom(1);
        addRun(pfn & LOW_WORD, 1);
    }

    /** Adds the first {@code length} page numbers of an array. */
    public void add(int[] pfns, int length) {
        takeRoom(length);
        int i = 0;
        while (i < length) {
            int start = i;
            int first = pfns[i++];
            // Page numbers do not wrap: after the last one there is none, and before the first.
            for (int next = first + 1; i < length && pfns[i] == next && next != 0; next++) {
                i++;
            }
            if (i - start > 1) {
                addRun(first & LOW_WORD, i - start);
                continue;
            }
            for (int next = first - 1; i < length && pfns[i] == next && next != -1; next--) {
                i++;
            }
            addRun((first & LOW_WORD) - (i - start - 1), i - start);
        }
    }

    /**
     * Adds a range, for which it takes the room of one page number.
     *
     * @param first page number, 0 to 2^32 - 1
     * @param pages 1 and more; all that is added between two calls of {@link #clear} is at most
     *     {@link PageRanges#MAX_RANGE_PAGES}
     */
    public void addRange(long first, int pages) {
        takeRoom(1);
        addRun(first, pages);
    }

    private void takeRoom(int pages) {
        if (pages > room()) {
            throw new IllegalStateException(
                    "the batch is full: capacity=" + capacity + ", pages=" + pages);
        }
        count += pages;
    }

    private void addRun(long first, int pages) {
        if (runPages > 0 && first == runFirst + runPages) {
            runPages += pages;
        } else if (runPages > 0 && first + pages == runFirst) {
            runFirst = first;
            runPages += pages;
        } else {
            endRun();
            runFirst = first;
            runPages = pages;
        }
    }

    /**
     * Orders and merges what was added.
     *
     * @return how many pages were named more than once, counted once for each time too many
     */
    public long merge() {
        endRun();
        return ranges.normalize(sort);
    }

    /** The ranges that {@link #merge} made, ascending and apart. */
    public PageRanges ranges() {
        return ranges;
    }

    /** Forgets everything. */
    public void clear() {
        ranges.clear();
        count = 0;
        runPages = 0;
    }

    private void endRun() {
        if (runPages > 0) {
            ranges.add(runFirst, runPages);
            runPages = 0;
        }
    }
}
