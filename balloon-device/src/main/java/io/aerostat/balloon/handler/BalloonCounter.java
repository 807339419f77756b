package io.aerostat.balloon.handler;

/**
 * Everything that a balloon counts since it was made; resets of the device do not set it back.
 *
 * <p>A page that is named twice within one pass counts as repeated, whatever else is wrong with it.
 */
public enum BalloonCounter {
    /** Inflate requests returned to the driver. */
    INFLATE_REQUESTS(false),
    /** Deflate requests returned to the driver. */
    DEFLATE_REQUESTS(false),
    /** Pages that went into the balloon. */
    PAGES_INFLATED(false),
    /** Pages that came back out of it. */
    PAGES_DEFLATED(false),
    /** Pages that came back because the driver reset the device. */
    PAGES_RETURNED_BY_RESET(false),
    /** Bytes that the reclaimer was asked to give back to the host. */
    BYTES_ASKED(false),
    /** Bytes that the host accepted. */
    BYTES_ACCEPTED(false),
    /** Host pages larger than 4 KiB that came to be wholly in the balloon. */
    HOST_PAGES_COMPLETED(false),
    /** Host pages that were, until a page of theirs came back out. */
    HOST_PAGES_BROKEN_UP(false),
    /**
     * Pages that the guest took back although the target did not ask for it, as DEFLATE_ON_OOM
     * allows. A few may be on the move, and a driver may lag behind, so that it proves nothing
     * against one that did not take the feature.
     */
    PAGES_TAKEN_BACK(false),
    /** Buffers of statistics that arrived. */
    STATISTICS(false),
    /** Reports of free pages returned to the driver. */
    REPORTS(false),
    /** Bytes reported as free. */
    BYTES_REPORTED(false),
    /**
     * Bytes of them that were not given back: less than a host page, or not to be changed because
     * of their poison.
     */
    REPORTED_BYTES_SPARED(false),
    /** Rounds of hints that the driver has begun. */
    HINT_ROUNDS(false),
    /** Pages hinted as free in the round that the host asked for. */
    PAGES_HINTED(false),
    /** Pages hinted outside of it, which have no effect. */
    STALE_HINTS(false),
    /**
     * Accesses to a page whose deflate request was sent and not yet confirmed: legal for a driver
     * without MUST_TELL_HOST.
     */
    EARLY_USES(false),
    /** Accesses to a page that was in the balloon. */
    USES_OF_BALLOONED_PAGES(true),
    /** Page numbers that are not RAM. */
    PAGES_OUTSIDE_RAM(true),
    /** Page numbers of a page that holds a live ring. */
    PAGES_OF_LIVE_RING(true),
    /** Pages given though they were in the balloon, or named twice at once. */
    PAGES_INFLATED_TWICE(true),
    /** Pages taken back though they were not in the balloon, or named twice at once. */
    PAGES_DEFLATED_UNASKED(true),
    /** Requests whose length is no multiple of 4. */
    PARTIAL_PAGE_NUMBERS(true),
    /** Writes of {@code actual} that no number of ballooned pages explains. */
    FALSE_ACTUAL(true),
    /** Statistics whose length is no multiple of 10, or that are longer than anybody reads. */
    MALFORMED_STATISTICS(true),
    /** Buffers of statistics exposed while the device still held one. */
    SURPLUS_STATISTICS(true),
    /**
     * Statements in statistics that cannot be true, see {@link
     * io.aerostat.balloon.stats.Contradiction}.
     */
    CONTRADICTORY_STATISTICS(true),
    /** Elements of reports that the device could not write, or that are not whole pages. */
    MALFORMED_REPORTS(true),
    /** Pages reported as free that are in the balloon. */
    BALLOONED_PAGES_REPORTED(true),
    /** Buffers on the hint queue that are neither a command nor pages. */
    MALFORMED_HINTS(true),
    /** Changes of {@code poison_val} while the driver was up. */
    POISON_CHANGES(true);

    private final boolean anomaly;

    BalloonCounter(boolean anomaly) {
        this.anomaly = anomaly;
    }

    /** Tells whether a driver that keeps to the standard leaves this at 0. */
    public boolean isAnomaly() {
        return anomaly;
    }
}
