package io.aerostat.guest.balloon;

import io.aerostat.virtio.queue.QueueFault;

import org.jspecify.annotations.Nullable;

/**
 * Pages on their way out of the balloon: named in a deflate request, and given to the allocator
 * when the device has confirmed it, whether MUST_TELL_HOST was negotiated or not (VIRTIO 1.4,
 * 5.5.6.1).
 */
final class Deflation {
    private final GuestPages pages;
    private final BalloonedPages ballooned;
    private final PageRequests requests;
    private final Migration migration;
    private final DriverCounters counters;
    private final int pagesPerRequest;

    private long inFlight;

    Deflation(
            DriverBooks books,
            PageRequests requests,
            Migration migration,
            BalloonDriverOptions options) {
        this.pages = books.pages();
        this.ballooned = books.ballooned();
        this.requests = requests;
        this.migration = migration;
        this.counters = books.counters();
        this.pagesPerRequest = options.requests().pagesPerRequest();
    }

    /**
     * Sends pages on their way, the lowest first, as many as requests are free for.
     *
     * @param wanted at most as many pages as are in the balloon
     * @return requests that were submitted
     */
    int submit(long wanted) {
        long left = wanted;
        int submitted = 0;
        while (left > 0) {
            int request = requests.begin();
            if (request == PageRequests.NONE) {
                break;
            }
            int count = (int) Math.min(left, pagesPerRequest);
            int[] pfns = requests.pfns(request);
            for (int i = 0; i < count; i++) {
                pfns[i] = ballooned.takeLowest();
            }
            requests.submit(request, count);
            inFlight += count;
            left -= count;
            submitted++;
        }
        requests.publish();
        return submitted;
    }

    /** Frees the pages of confirmed requests; how many requests there were. */
    int reap() {
        int reaped = 0;
        int request = requests.reap();
        while (request != PageRequests.NONE) {
            int count = requests.pages(request);
            requests.free(request, pages);
            if (!migration.leave(request)) {
                inFlight -= count;
            }
            counters.add(DriverCounter.PAGES_DEFLATED, count);
            requests.end(request);
            reaped++;
            request = requests.reap();
        }
        return reaped;
    }

    /** Pages in requests that are not confirmed, without those that another takes the place of. */
    long inFlight() {
        return inFlight;
    }

    @Nullable QueueFault fault() {
        return requests.fault();
    }

    /** Frees the pages of all requests. The device must have been reset. */
    void release() {
        requests.freeAll(pages);
    }
}
