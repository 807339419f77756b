package io.aerostat.guest.balloon;

import io.aerostat.guest.page.ReportablePages;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.IndirectTables;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * Sets the driver's queues up between feature negotiation and DRIVER_OK, in the order of VIRTIO
 * 1.4, 5.5.5, and holds the guest RAM of their rings and buffers until they are closed.
 *
 * <p>A queue whose feature was negotiated has to exist. How large a queue is counts only once
 * FEATURES_OK is on, too late to leave its feature out: if one is missing, the start fails with
 * QUEUE_MISSING. That is also how it shows, mostly, that both sides number their queues
 * differently.
 */
final class BalloonQueues {
    /** One buffer is out at a time. */
    private static final int STATISTICS_QUEUE_SIZE = 2;

    private final GuestMemory memory;
    private final DriverTransport transport;
    private final BalloonDriverOptions options;
    private final DriverHandshake handshake;
    private final PinnedMemory pinned;

    private @Nullable PageRequests inflate;
    private @Nullable PageRequests deflate;
    private @Nullable StatisticsQueue statistics;
    private @Nullable HintQueue hints;
    private @Nullable ReportingQueue reports;
    private @Nullable HandshakeFailure failure;

    BalloonQueues(
            GuestMemory memory,
            GuestPages pages,
            DriverTransport transport,
            DriverHandshake handshake,
            BalloonDriverOptions options) {
        this.memory = memory;
        this.transport = transport;
        this.handshake = handshake;
        this.options = options;
        this.pinned = new PinnedMemory(pages);
    }

    /** Above all page frames of RAM. */
    private int endPfn() {
        return Math.toIntExact(memory.region(memory.regionCount() - 1).end() >>> PageFrame.SHIFT);
    }

    /**
     * Opens every queue that was negotiated. Null, or why it failed: then {@link #close}.
     *
     * @param books whose allocator keeps marks of what was reported, if reporting was negotiated
     */
    @Nullable HandshakeFailure open(DriverBooks books) {
        inflate = openRequests(BalloonQueue.INFLATE);
        deflate = openRequests(BalloonQueue.DEFLATE);
        statistics = openStatistics(books);
        hints = openHints(books);
        if (failure == null && has(BalloonFeature.PAGE_POISON)) {
            int fill = options.freePages().fill().orElseThrow();
            transport.writeConfig(BalloonConfigLayout.POISON_VAL_OFFSET, fill);
        }
        reports = openReports(books);
        return failure;
    }

    private @Nullable PageRequests openRequests(BalloonQueue queue) {
        int size = sizeOf(queue, options.requests().queueSize());
        int requests = Math.min(options.requests().inFlight(), size);
        int pages = options.requests().pagesPerRequest();
        long ringGpa = pin(QueueAddresses.blockBytes(size));
        long buffers = pin((long) requests * PageRequests.bufferBytes(pages));
        BalloonRing ring = openRing(queue, size, ringGpa, null);
        return ring == null ? null : new PageRequests(memory, ring, buffers, requests, pages);
    }

    private @Nullable StatisticsQueue openStatistics(DriverBooks books) {
        if (!has(BalloonFeature.STATS_VQ)) {
            return null;
        }
        int size = sizeOf(BalloonQueue.STATS, STATISTICS_QUEUE_SIZE);
        long bytes = StatisticsQueue.BUFFER_BYTES;
        long gpa = pin(behindRing(size) + bytes);
        BalloonRing ring = openRing(BalloonQueue.STATS, size, gpa, null);
        if (ring == null) {
            return null;
        }
        RamAccess buffer = RamAccess.of(memory, gpa + behindRing(size), bytes);
        StatisticsQueue queue = new StatisticsQueue(ring, buffer, books);
        queue.expose();
        return queue;
    }

    private @Nullable HintQueue openHints(DriverBooks books) {
        if (!has(BalloonFeature.FREE_PAGE_HINT)) {
            return null;
        }
        int size = sizeOf(BalloonQueue.FREE_PAGE_HINT, options.requests().queueSize());
        long bytes = HintQueue.cellBytes(size);
        long gpa = pin(behindRing(size) + bytes);
        BalloonRing ring = openRing(BalloonQueue.FREE_PAGE_HINT, size, gpa, null);
        if (ring == null) {
            return null;
        }
        RamAccess cells = RamAccess.of(memory, gpa + behindRing(size), bytes);
        return new HintQueue(ring, cells, endPfn(), books, options.freePages());
    }

    private @Nullable ReportingQueue openReports(DriverBooks books) {
        ReportablePages reportable = books.pages().reportable();
        if (reportable == null || !has(BalloonFeature.PAGE_REPORTING)) {
            return null;
        }
        int size = sizeOf(BalloonQueue.REPORTING, ReportingQueue.MAX_BLOCKS);
        boolean isIndirect = has(Feature.INDIRECT_DESC);
        long gpa = pin(behindRing(size) + (isIndirect ? IndirectTables.bytes(size, size) : 0));
        IndirectTables tables =
                isIndirect && gpa != PinnedMemory.NONE
                        ? new IndirectTables(memory, gpa + behindRing(size), size, size)
                        : null;
        BalloonRing ring = openRing(BalloonQueue.REPORTING, size, gpa, tables);
        return ring == null ? null : new ReportingQueue(ring, reportable, books, options);
    }

    private boolean has(long feature) {
        return (handshake.features() & feature) != 0;
    }

    private int indexOf(BalloonQueue queue) {
        return options.numbering().indexOf(queue, handshake.offered(), handshake.features());
    }

    /** The size to give a queue; 0 if it is missing, and then {@link #failure} says so. */
    private int sizeOf(BalloonQueue queue, int wanted) {
        if (failure != null) {
            return 0;
        }
        int most = handshake.queueSizeMax(indexOf(queue));
        if (most == 0) {
            failure = handshake.fail(HandshakeFailure.QUEUE_MISSING);
        }
        return Math.min(wanted, most);
    }

    /** Where buffers may begin in a block that has a ring at its start. */
    private static long behindRing(int size) {
        long mask = DescriptorLayout.ALIGNMENT - 1;
        return (QueueAddresses.blockBytes(size) + mask) & ~mask;
    }

    private long pin(long bytes) {
        if (failure != null) {
            return PinnedMemory.NONE;
        }
        long gpa = pinned.allocate(bytes);
        if (gpa == PinnedMemory.NONE) {
            failure = handshake.fail(HandshakeFailure.NO_MEMORY);
        }
        return gpa;
    }

    /** The ring, or null with {@link #failure} set. */
    private @Nullable BalloonRing openRing(
            BalloonQueue queue, int size, long gpa, @Nullable IndirectTables tables) {
        if (failure != null) {
            return null;
        }
        QueueAddresses addresses = QueueAddresses.inBlock(size, gpa);
        int index = indexOf(queue);
        DriverQueue ring = new DriverQueue(memory, addresses, handshake.features(), tables);
        failure = handshake.enableQueue(index, addresses);
        return failure == null ? new BalloonRing(transport, index, ring) : null;
    }

    PageRequests inflate() {
        return opened(inflate);
    }

    PageRequests deflate() {
        return opened(deflate);
    }

    private static PageRequests opened(@Nullable PageRequests requests) {
        if (requests == null) {
            throw new IllegalStateException("the queues are closed");
        }
        return requests;
    }

    /** Null without STATS_VQ. */
    @Nullable StatisticsQueue statistics() {
        return statistics;
    }

    /** Null without FREE_PAGE_HINT. */
    @Nullable HintQueue hints() {
        return hints;
    }

    /** Null without PAGE_REPORTING. */
    @Nullable ReportingQueue reports() {
        return reports;
    }

    /** Page frames that rings and buffers take. */
    long pinnedPages() {
        return pinned.frames();
    }

    /** Frees rings and buffers. The device must have been reset. */
    void close() {
        failure = null;
        inflate = null;
        deflate = null;
        statistics = null;
        hints = null;
        reports = null;
        pinned.freeAll();
    }
}
