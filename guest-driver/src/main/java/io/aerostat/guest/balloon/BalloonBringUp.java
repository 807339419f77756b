package io.aerostat.guest.balloon;

import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;

import org.jspecify.annotations.Nullable;

/** Brings the device up (VIRTIO 1.4, 3.1.1, 5.5.5), and lets go of it. */
final class BalloonBringUp {
    private static final long TRANSPORT_FEATURES =
            Feature.VERSION_1 | Feature.INDIRECT_DESC | Feature.EVENT_IDX;

    private final DriverTransport transport;
    private final DriverBooks books;
    private final BalloonDriverOptions options;
    private final DriverHandshake handshake;
    private final BalloonQueues queues;

    private @Nullable HandshakeFailure failure;

    BalloonBringUp(
            GuestMemory memory,
            DriverTransport transport,
            DriverBooks books,
            BalloonDriverOptions options) {
        this.transport = transport;
        this.books = books;
        this.options = options;
        this.handshake = new DriverHandshake(transport);
        this.queues = new BalloonQueues(memory, books.pages(), transport, handshake, options);
    }

    /** A live device, or null: {@link #failure} says why, and nothing is left behind. */
    @Nullable BalloonLink bringUp() {
        BalloonLink link = null;
        try {
            failure = negotiate();
            if (failure == null) {
                failure = queues.open(books);
            }
            if (failure == null) {
                failure = handshake.finish();
            }
            if (failure == null) {
                link = new BalloonLink(transport, handshake.features(), queues, books, options);
                link.begin();
            }
        } finally {
            // Also when the source of statistics threw.
            if (link == null) {
                letGo(null);
            }
        }
        return link;
    }

    private @Nullable HandshakeFailure negotiate() {
        boolean canReport = books.pages().reportable() != null;
        return handshake.negotiate(
                DeviceType.BALLOON,
                offered -> TRANSPORT_FEATURES | options.featuresOf(offered, canReport),
                Feature.VERSION_1);
    }

    /**
     * Resets the device, which returns all pages to the guest, and takes them back. If the device
     * never says that it is reset, they are let go of for good instead.
     *
     * @param link the live device, or null if it did not get that far
     */
    void letGo(@Nullable BalloonLink link) {
        // The device may know our memory: only a reset makes it forget (3.3.1). One that is gone
        // has forgotten, and would never say that it is reset.
        boolean knows = queues.pinnedPages() > 0 && transport.probe(DeviceType.BALLOON) == null;
        books.pages().abandoning(knows && !transport.reset());
        if (link != null) {
            link.release();
        }
        queues.close();
        books.pages().abandoning(false);
    }

    /** Why the last attempt failed, or null if it did not. */
    @Nullable HandshakeFailure failure() {
        return failure;
    }

    /** Page frames that rings and buffers take. */
    long pinnedPages() {
        return queues.pinnedPages();
    }
}
