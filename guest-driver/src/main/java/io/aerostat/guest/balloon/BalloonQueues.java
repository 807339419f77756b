package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.balloon.BalloonQueue;

import org.jspecify.annotations.Nullable;

/**
 * The driver's two queues while they exist: from their set-up, which takes guest RAM for rings and
 * buffers, until they are closed.
 */
final class BalloonQueues {
    private final GuestMemory memory;
    private final DriverTransport transport;
    private final BalloonDriverOptions options;
    private final PinnedMemory pinned;

    private @Nullable PageRequests inflate;
    private @Nullable PageRequests deflate;
    private @Nullable HandshakeFailure failure;

    BalloonQueues(
            GuestMemory memory,
            PageAllocator pages,
            DriverTransport transport,
            BalloonDriverOptions options) {
        this.memory = memory;
        this.transport = transport;
        this.options = options;
        this.pinned = new PinnedMemory(pages);
    }

    /**
     * Sets both queues up, between feature negotiation and DRIVER_OK. Null, or why it failed: then
     * {@link #close}.
     */
    @Nullable HandshakeFailure open(DriverHandshake handshake) {
        failure = null;
        inflate = openQueue(BalloonQueue.INFLATE, handshake);
        deflate = inflate == null ? null : openQueue(BalloonQueue.DEFLATE, handshake);
        return failure;
    }

    /** The queue, or null with {@link #failure} set. */
    private @Nullable PageRequests openQueue(BalloonQueue queue, DriverHandshake handshake) {
        int index = options.numbering().indexOf(queue, handshake.offered(), handshake.features());
        int size = Math.min(options.queueSize(), handshake.queueSizeMax(index));
        if (size == 0) {
            failure = handshake.fail(HandshakeFailure.QUEUE_MISSING);
            return null;
        }
        int requests = Math.min(options.requestsInFlight(), size);
        int pages = options.pagesPerRequest();
        long ring = pinned.allocate(QueueAddresses.blockBytes(size));
        long buffers =
                ring == PinnedMemory.NONE
                        ? PinnedMemory.NONE
                        : pinned.allocate((long) requests * PageRequests.bufferBytes(pages));
        if (buffers == PinnedMemory.NONE) {
            failure = handshake.fail(HandshakeFailure.NO_MEMORY);
            return null;
        }
        QueueAddresses addresses = QueueAddresses.inBlock(size, ring);
        DriverQueue ringQueue = new DriverQueue(memory, addresses, handshake.features(), null);
        failure = handshake.enableQueue(index, addresses);
        return failure != null
                ? null
                : new PageRequests(memory, transport, index, ringQueue, buffers, requests, pages);
    }

    PageRequests inflate() {
        return opened(inflate);
    }

    PageRequests deflate() {
        return opened(deflate);
    }

    boolean isOpen() {
        return inflate != null && deflate != null;
    }

    private static PageRequests opened(@Nullable PageRequests requests) {
        if (requests == null) {
            throw new IllegalStateException("the queues are closed");
        }
        return requests;
    }

    /** Page frames that rings and buffers take. */
    long pinnedPages() {
        return pinned.frames();
    }

    /** Frees rings and buffers. The device must have been reset. */
    void close() {
        inflate = null;
        deflate = null;
        pinned.freeAll();
    }
}
