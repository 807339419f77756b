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
    private final int capacity;
    private int count;

    // The run that is still growing: [runFirst, runFirst + runPages).
    private long runFirst;
    private int runPages;

    /** A batch with room for {@code capacity} page numbers. */
    public PfnBatch(int capacity) {
        this.capacity = capacity;
        this.ranges = new PageRanges(capacity);
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
        if (count == capacity) {
            throw new IllegalStateException("the batch is full: capacity=" + capacity);
        }
        count++;
        long page = pfn & LOW_WORD;
        if (page == runFirst + runPages && runPages > 0) {
            runPages++;
        } else if (page == runFirst - 1 && runPages > 0) {
            runFirst = page;
            runPages++;
        } else {
            endRun();
            runFirst = page;
            runPages = 1;
        }
    }

    /** Adds the first {@code length} page numbers of an array. */
    public void add(int[] pfns, int length) {
        for (int i = 0; i < length; i++) {
            add(pfns[i]);
        }
    }

    /**
     * Orders and merges what was added.
     *
     * @return how many pages were named more than once, counted once for each time too many
     */
    public long merge() {
        endRun();
        return ranges.normalize();
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
