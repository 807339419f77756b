package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;

import java.util.Arrays;

/**
 * Moves pages of the balloon elsewhere, so that the guest can put a large block together where they
 * were: another page goes in, and only then does the old one come out.
 *
 * <pre>
 *   begin(old)          arrive                        sendLeaving          leave
 *   ──────▶ arriving ──────────▶ old: replaced ────────────▶ leaving ──────────▶ allocator
 *           old is still         new: in the balloon
 *           counted              in its place
 * </pre>
 *
 * <p>For all who count, the balloon stays as large as it is: the old page counts until the new one
 * is confirmed, then the new one does. The device sees one page more between the two requests of a
 * move. {@code actual} is not written for it, as in Linux; a device that compares it with its own
 * book finds it too low by the moves in flight at most.
 *
 * <p>A move takes a request of one page from each of the two queues, so there are at most as many
 * at a time as the inflate queue has requests. A page that is on its way is not deflated for the
 * target; it is when it has arrived.
 */
final class Migration {
    private static final int NO_PAGE = -1;

    private final GuestPages pages;
    private final BalloonedPages ballooned;
    private final PageRequests inflate;
    private final PageRequests deflate;
    private final DriverCounters counters;

    /** By inflate request: the page whose place its page takes. */
    private final int[] oldOf;

    /** By deflate request: whether its page was replaced. */
    private final boolean[] isMove;

    /** Pages that were replaced and wait for a deflate request. */
    private final int[] replaced;

    private int replacedCount;
    private int arriving;
    private int leaving;

    Migration(DriverBooks books, PageRequests inflate, PageRequests deflate) {
        this.pages = books.pages();
        this.ballooned = books.ballooned();
        this.inflate = inflate;
        this.deflate = deflate;
        this.counters = books.counters();
        this.oldOf = new int[inflate.requests()];
        this.isMove = new boolean[deflate.requests()];
        this.replaced = new int[inflate.requests()];
        Arrays.fill(oldOf, NO_PAGE);
    }

    /**
     * Starts to move a page.
     *
     * @return false, with nothing changed, if it isn't in the balloon, all moves are under way
     *     already, or there is no request or no other page
     */
    boolean begin(int pfn) {
        if (!ballooned.contains(pfn) || moves() == replaced.length) {
            return false;
        }
        int request = inflate.begin();
        if (request == PageRequests.NONE) {
            return false;
        }
        int other = pages.allocate(0);
        if (other == PageAllocator.NONE) {
            inflate.end(request);
            return false;
        }
        ballooned.remove(pfn);
        oldOf[request] = pfn;
        inflate.pfns(request)[0] = other;
        inflate.submit(request, 1);
        inflate.publish();
        arriving++;
        return true;
    }

    /** Takes a confirmed inflate request if it is of a move; false if it is not. */
    boolean arrive(int request) {
        int old = oldOf[request];
        if (old == NO_PAGE) {
            return false;
        }
        oldOf[request] = NO_PAGE;
        ballooned.add(inflate.pfns(request)[0]);
        replaced[replacedCount++] = old;
        arriving--;
        return true;
    }

    /** Sends the pages that were replaced on their way out; how many. */
    int sendLeaving() {
        int sent = 0;
        while (replacedCount > 0) {
            int request = deflate.begin();
            if (request == PageRequests.NONE) {
                break;
            }
            deflate.pfns(request)[0] = replaced[--replacedCount];
            deflate.submit(request, 1);
            isMove[request] = true;
            leaving++;
            sent++;
        }
        deflate.publish();
        return sent;
    }

    /** Takes note of a confirmed deflate request if it is of a move; false if it is not. */
    boolean leave(int request) {
        if (!isMove[request]) {
            return false;
        }
        isMove[request] = false;
        leaving--;
        counters.add(DriverCounter.PAGES_MIGRATED, 1);
        return true;
    }

    /** Pages that another is on its way to take the place of: in the balloon for all who count. */
    int arriving() {
        return arriving;
    }

    /** Moves under way. For each, a page more than is counted is out of the guest's use. */
    int moves() {
        return arriving + replacedCount + leaving;
    }

    /**
     * Frees the old pages that no request names. The device must have been reset; the pages in
     * requests are freed with them.
     */
    void release() {
        for (int old : oldOf) {
            if (old != NO_PAGE) {
                pages.free(old, 0);
            }
        }
        for (int i = 0; i < replacedCount; i++) {
            pages.free(replaced[i], 0);
        }
    }
}
