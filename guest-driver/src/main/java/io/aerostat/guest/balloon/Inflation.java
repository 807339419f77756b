package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.queue.QueueFault;

import org.jspecify.annotations.Nullable;

/**
 * Pages on their way into the balloon: taken from the allocator, named in an inflate request, not
 * used until the device has confirmed that and a later deflate request (VIRTIO 1.4, 5.5.6.1).
 *
 * <p>Waits when the allocator has no more pages, and after the guest has taken pages back for want
 * of memory.
 */
final class Inflation {
    private final GuestPages pages;
    private final BalloonedPages ballooned;
    private final PageRequests requests;
    private final Migration migration;
    private final DriverCounters counters;
    private final int pagesPerRequest;
    private final long retryDelayNs;

    private long inFlight;
    private boolean outOfPages;
    private boolean waits;
    private long resumeAtNs;

    Inflation(
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
        this.retryDelayNs = options.delays().retryNs();
    }

    /**
     * Sends pages on their way, as many as the allocator has and requests are free for.
     *
     * @return requests that were submitted
     */
    int submit(long wanted, long nowNs) {
        if (waits && nowNs - resumeAtNs < 0) {
            return 0;
        }
        waits = false;
        outOfPages = false;
        long left = wanted;
        int submitted = 0;
        while (left > 0 && !outOfPages) {
            int request = requests.begin();
            if (request == PageRequests.NONE) {
                break;
            }
            int limit = (int) Math.min(left, pagesPerRequest);
            int count = pinPages(requests.pfns(request), limit);
            if (count == 0) {
                requests.end(request);
            } else {
                requests.submit(request, count);
                inFlight += count;
                left -= count;
                submitted++;
            }
            if (count < limit) {
                outOfPages = true;
                pauseUntil(nowNs + retryDelayNs);
            }
        }
        requests.publish();
        return submitted;
    }

    /**
     * Takes pages from the allocator, the largest blocks first: what lies together is given back
     * together.
     */
    private int pinPages(int[] pfns, int limit) {
        int count = 0;
        while (count < limit) {
            int fitting = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(limit - count);
            int order = Math.min(fitting, pages.largestFreeOrder());
            int pfn = order == PageAllocator.NONE ? PageAllocator.NONE : pages.allocate(order);
            if (pfn == PageAllocator.NONE) {
                break;
            }
            for (int i = 0; i < 1 << order; i++) {
                pfns[count++] = pfn + i;
            }
        }
        return count;
    }

    /** Takes confirmed requests for what they are; how many there were. */
    int reap() {
        int reaped = 0;
        int request = requests.reap();
        while (request != PageRequests.NONE) {
            int count = requests.pages(request);
            if (!migration.arrive(request)) {
                int[] pfns = requests.pfns(request);
                for (int i = 0; i < count; i++) {
                    ballooned.add(pfns[i]);
                }
                inFlight -= count;
            }
            counters.add(DriverCounter.PAGES_INFLATED, count);
            requests.end(request);
            reaped++;
            request = requests.reap();
        }
        return reaped;
    }

    /** Sends nothing on its way before this time. */
    void pauseUntil(long nowNs) {
        waits = true;
        resumeAtNs = nowNs;
    }

    /** No page is wanted: that there were none is history. */
    void satisfied() {
        outOfPages = false;
    }

    /** Pages in requests that are not confirmed, without those that take the place of another. */
    long inFlight() {
        return inFlight;
    }

    /** Whether the allocator had no more pages at the last attempt. */
    boolean isOutOfPages() {
        return outOfPages;
    }

    @Nullable QueueFault fault() {
        return requests.fault();
    }

    /** Frees the pages of all requests. The device must have been reset. */
    void release() {
        requests.freeAll(pages);
    }
}
