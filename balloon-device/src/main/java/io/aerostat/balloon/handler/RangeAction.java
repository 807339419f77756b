package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.PageRanges;

/** What is done with the pages that a queue names. */
public sealed interface RangeAction permits Inflation, Deflation {
    /**
     * Does it for ranges that ascend, are apart, and may still name what is not RAM. All is done
     * when this returns.
     *
     * @param repeated how many pages were named more than once
     */
    void apply(PageRanges named, long repeated);

    /** Counts requests that are returned to the driver. */
    void countRequests(long requests);
}
