package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.guest.page.ReportablePages;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * The free page reporting queue (VIRTIO 1.4, 5.5.6.7): tells the host of free blocks, which it may
 * then take the memory from.
 *
 * <pre>
 *            isolate, fill          add               returned              give back
 *   unreported ─────▶ up to 32 blocks ─────▶ one buffer ─────▶ confirmed ─────▶ free, reported
 * </pre>
 *
 * <p>A pass begins a while after there is something to report, and goes on, buffer by buffer, until
 * there is nothing left. The largest blocks go first. Isolated blocks are out of the guest's use;
 * there are never more of them than one buffer takes, and never so many that less than the reserve
 * stays free.
 */
final class ReportingQueue {
    /** Blocks in a buffer at most, as in Linux. */
    static final int MAX_BLOCKS = 32;

    private final BalloonRing ring;
    private final DriverQueue queue;
    private final GuestPages pages;
    private final ReportablePages reportable;
    private final DriverCounters counters;
    private final boolean fills;
    private final int lowestOrder;
    private final long reservePages;
    private final long delayNs;

    private final int[] pfns;
    private final int[] orders;
    private final long[] gpas;
    private final long[] lengths;
    private int count;
    private long isolated;

    private boolean isAwaitingPass;
    private boolean isInPass;
    private long passAtNs;

    ReportingQueue(
            BalloonRing ring,
            ReportablePages reportable,
            DriverBooks books,
            BalloonDriverOptions options) {
        this.ring = ring;
        this.queue = ring.queue();
        this.pages = books.pages();
        this.reportable = reportable;
        this.counters = books.counters();
        this.fills = pages.fills();
        this.lowestOrder =
                Math.min(
                        Math.max(
                                options.freePages().reportingOrder(),
                                reportable.lowestReportableOrder()),
                        reportable.maxOrder());
        this.reservePages = options.freePages().reservePages();
        this.delayNs = options.delays().reportingNs();
        int capacity = Math.min(MAX_BLOCKS, queue.size());
        this.pfns = new int[capacity];
        this.orders = new int[capacity];
        this.gpas = new long[capacity];
        this.lengths = new long[capacity];
    }

    /**
     * Gives confirmed blocks back.
     *
     * @return how many buffers there were; 0 only when there will be an interrupt for the next
     */
    int reap() {
        // The second look is at what came before the interrupt was armed.
        boolean isBack = queue.poll() >= 0 || (queue.armAndRecheck() && queue.poll() >= 0);
        if (!isBack) {
            return 0;
        }
        for (int i = 0; i < count; i++) {
            reportable.freeReported(pfns[i], orders[i]);
        }
        counters.add(DriverCounter.PAGES_REPORTED, isolated);
        forget();
        return 1;
    }

    /**
     * Reports free blocks when it is time, and the device has confirmed the last report.
     *
     * @return buffers that were sent
     */
    int supply(long nowNs) {
        return count == 0 && isTime(nowNs) && report() ? 1 : 0;
    }

    private boolean isTime(long nowNs) {
        if (isInPass) {
            return true;
        }
        if (!isAwaitingPass) {
            if (reportable.largestUnreportedOrder() < lowestOrder) {
                return false;
            }
            isAwaitingPass = true;
            passAtNs = nowNs + delayNs;
        }
        return nowNs - passAtNs >= 0;
    }

    /** Sends what there is; false if there is nothing, which ends the pass. */
    private boolean report() {
        isolate();
        isInPass = count > 0;
        isAwaitingPass = false;
        if (count == 0) {
            return false;
        }
        queue.add(gpas, lengths, 0, count);
        ring.publish();
        return true;
    }

    private void isolate() {
        for (int order = reportable.maxOrder(); order >= lowestOrder; order--) {
            while (count < pfns.length && pages.freePages() - (1L << order) >= reservePages) {
                int pfn = reportable.isolateUnreported(order);
                if (pfn == PageAllocator.NONE) {
                    break;
                }
                if (fills) {
                    pages.fill(pfn, order);
                }
                pfns[count] = pfn;
                orders[count] = order;
                gpas[count] = (long) pfn << PageFrame.SHIFT;
                lengths[count] = (long) PageFrame.BYTES << order;
                isolated += 1L << order;
                count++;
            }
        }
    }

    private void forget() {
        count = 0;
        isolated = 0;
    }

    /** Pages in blocks that the device has not confirmed. */
    long isolatedPages() {
        return isolated;
    }

    @Nullable QueueFault fault() {
        return queue.fault();
    }

    /** Gives isolated blocks back, not reported. The device must have been reset. */
    void release() {
        for (int i = 0; i < count; i++) {
            pages.free(pfns[i], orders[i]);
        }
        forget();
    }
}
