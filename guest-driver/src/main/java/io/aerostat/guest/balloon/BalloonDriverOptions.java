package io.aerostat.guest.balloon;

import io.aerostat.virtio.spec.QueueLimits;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

/**
 * How a balloon driver works.
 *
 * @param numbering how the device numbers its queues
 * @param queueSize largest size of a queue to ask for, a power of two up to 32768; a device that
 *     has less is fine
 * @param requestsInFlight requests that a queue may hold at a time, 1 to 1024
 * @param pagesPerRequest page numbers of a request, 1 to 1024
 * @param retryDelayNs nanoseconds to wait when the allocator has no page to give, or the device
 *     could not be brought up
 */
public record BalloonDriverOptions(
        QueueNumbering numbering,
        int queueSize,
        int requestsInFlight,
        int pagesPerRequest,
        long retryDelayNs) {
    /**
     * Requests of 256 pages and retries after 200 ms, as Linux does; but 16 requests in flight,
     * where Linux has one.
     */
    public static final BalloonDriverOptions DEFAULT =
            new BalloonDriverOptions(QueueNumbering.NEGOTIATED, 128, 16, 256, 200_000_000L);

    private static final int MAX_IN_FLIGHT = 1024;
    private static final int MAX_PAGES = 1024;

    /** Checks the ranges. */
    public BalloonDriverOptions {
        QueueLimits.requireValidSize(queueSize);
        if (requestsInFlight < 1 || requestsInFlight > MAX_IN_FLIGHT) {
            throw new IllegalArgumentException(
                    "requests in flight must be 1 to "
                            + MAX_IN_FLIGHT
                            + ": requestsInFlight="
                            + requestsInFlight);
        }
        if (pagesPerRequest < 1 || pagesPerRequest > MAX_PAGES) {
            throw new IllegalArgumentException(
                    "pages per request must be 1 to "
                            + MAX_PAGES
                            + ": pagesPerRequest="
                            + pagesPerRequest);
        }
        if (retryDelayNs < 0) {
            throw new IllegalArgumentException(
                    "retry delay must not be negative: retryDelayNs=" + retryDelayNs);
        }
    }

    /** These options with another numbering. */
    public BalloonDriverOptions withNumbering(QueueNumbering numbering) {
        return new BalloonDriverOptions(
                numbering, queueSize, requestsInFlight, pagesPerRequest, retryDelayNs);
    }

    /** These options with another number of requests in flight. */
    public BalloonDriverOptions withRequestsInFlight(int requestsInFlight) {
        return new BalloonDriverOptions(
                numbering, queueSize, requestsInFlight, pagesPerRequest, retryDelayNs);
    }

    /** These options with another retry delay. */
    public BalloonDriverOptions withRetryDelayNs(long retryDelayNs) {
        return new BalloonDriverOptions(
                numbering, queueSize, requestsInFlight, pagesPerRequest, retryDelayNs);
    }
}
