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
    /** Bytes that were not asked for because they fill no whole unit of the reclaimer. */
    BYTES_BELOW_GRANULARITY(false),
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
    FALSE_ACTUAL(true);

    private final boolean anomaly;

    BalloonCounter(boolean anomaly) {
        this.anomaly = anomaly;
    }

    /** Tells whether a driver that keeps to the standard leaves this at 0. */
    public boolean isAnomaly() {
        return anomaly;
    }
}
