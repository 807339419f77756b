package io.aerostat.guest.balloon;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * A queue of page numbers, and the requests that are out on it. Each request has a buffer in guest
 * RAM that the device reads, and the same numbers in an array of our own that nobody else can
 * change.
 *
 * <pre>
 *   begin() ─▶ pfns(request)[0..n) filled by the driver ─▶ submit(request, n) ─▶ publish()
 *   reap()  ─▶ a request that the device has confirmed ─▶ pfns(request), pages(request) ─▶ end(request)
 * </pre>
 */
final class PageRequests {
    static final int NONE = -1;

    private final BalloonRing ring;
    private final DriverQueue queue;
    private final RamAccess buffers;
    private final int bufferBytes;
    private final int[][] pfns;
    private final int[] pages;
    private final int[] requestOfHead;
    private final int[] free;
    private int freeCount;

    /**
     * @param buffersGpa address of {@link #bufferBytes} bytes for each request
     * @param requests how many may be out at a time
     */
    PageRequests(
            GuestMemory memory,
            BalloonRing ring,
            long buffersGpa,
            int requests,
            int pagesPerRequest) {
        this.ring = ring;
        this.queue = ring.queue();
        this.bufferBytes = bufferBytes(pagesPerRequest);
        this.buffers = RamAccess.of(memory, buffersGpa, (long) requests * bufferBytes);
        this.buffers.fill(0, buffers.length(), (byte) 0);
        this.pfns = new int[requests][pagesPerRequest];
        this.pages = new int[requests];
        this.requestOfHead = new int[queue.size()];
        this.free = new int[requests];
        for (int i = 0; i < requests; i++) {
            free[i] = i;
        }
        freeCount = requests;
    }

    static int bufferBytes(int pagesPerRequest) {
        return pagesPerRequest * PageFrame.NUMBER_BYTES;
    }

    /** Takes a free request, or {@link #NONE}. */
    int begin() {
        return freeCount == 0 ? NONE : free[--freeCount];
    }

    int[] pfns(int request) {
        return pfns[request];
    }

    int pages(int request) {
        return pages[request];
    }

    /** Makes a request free again, never submitted or confirmed. */
    void end(int request) {
        pages[request] = 0;
        free[freeCount++] = request;
    }

    void submit(int request, int count) {
        long offset = (long) request * bufferBytes;
        buffers.putInts(offset, pfns[request], 0, count);
        int head = queue.add(buffers.gpa() + offset, (long) count * PageFrame.NUMBER_BYTES, false);
        if (head == DriverQueue.FULL) {
            throw new IllegalStateException(
                    "more requests than descriptors: requests=" + pfns.length);
        }
        requestOfHead[head] = request;
        pages[request] = count;
    }

    /** Shows the submitted requests to the device, and kicks it if it wants that. */
    void publish() {
        ring.publish();
    }

    /**
     * A request that the device has confirmed, or {@link #NONE}: then there will be an interrupt
     * for the next one, or the ring is broken.
     */
    int reap() {
        do {
            int head = queue.poll();
            if (head >= 0) {
                return requestOfHead[head];
            }
        } while (queue.fault() == null && queue.armAndRecheck());
        return NONE;
    }

    /** What the device did wrong, or null. */
    @Nullable QueueFault fault() {
        return queue.fault();
    }

    /** How many requests there are in all; those that are not out have no pages. */
    int requests() {
        return pfns.length;
    }

    /** Frees the pages that a request names. */
    void free(int request, GuestPages to) {
        for (int i = 0; i < pages[request]; i++) {
            to.free(pfns[request][i], 0);
        }
    }

    /** Frees the pages of all requests that are out. The device must have been reset. */
    void freeAll(GuestPages to) {
        for (int request = 0; request < pfns.length; request++) {
            free(request, to);
        }
    }
}
