package io.aerostat.guest.balloon;

import io.aerostat.virtio.spec.QueueLimits;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import java.util.OptionalInt;

/**
 * How a balloon driver works.
 *
 * @param numbering how the device numbers its queues
 * @param features the balloon's features that the driver takes if they are offered, as a mask of
 *     {@link BalloonFeature}s; PAGE_POISON is left out all the same if the guest does not fill its
 *     free pages
 * @param requests how pages go in and out
 * @param freePages what the driver does with pages that are not in use
 * @param delays how long it waits, and for what
 */
public record BalloonDriverOptions(
        QueueNumbering numbering,
        long features,
        Requests requests,
        FreePages freePages,
        Delays delays) {
    private static final int MAX_IN_FLIGHT = 1024;
    private static final int MAX_PAGES = 1024;
    private static final int MAX_ORDER = 30;
    private static final long MILLISECOND_NS = 1_000_000L;

    private static final long EVERY_FEATURE =
            BalloonFeature.MUST_TELL_HOST
                    | BalloonFeature.STATS_VQ
                    | BalloonFeature.DEFLATE_ON_OOM
                    | BalloonFeature.FREE_PAGE_HINT
                    | BalloonFeature.PAGE_POISON
                    | BalloonFeature.PAGE_REPORTING;

    /**
     * All that needs no decision of the guest's owner: neither DEFLATE_ON_OOM nor PAGE_POISON.
     * Requests of 256 pages, retries after 200 ms and reports after 2 s, as in Linux; but 16
     * requests in flight, where Linux has one.
     */
    public static final BalloonDriverOptions DEFAULT =
            new BalloonDriverOptions(
                    QueueNumbering.NEGOTIATED,
                    BalloonFeature.MUST_TELL_HOST
                            | BalloonFeature.STATS_VQ
                            | BalloonFeature.FREE_PAGE_HINT
                            | BalloonFeature.PAGE_REPORTING,
                    new Requests(128, 16, 256),
                    new FreePages(OptionalInt.empty(), 9, 10, 2048),
                    new Delays(
                            200 * MILLISECOND_NS,
                            2_000 * MILLISECOND_NS,
                            1_000 * MILLISECOND_NS,
                            10_000 * MILLISECOND_NS,
                            1_000 * MILLISECOND_NS));

    /**
     * How pages go in and out.
     *
     * @param queueSize largest size of a queue to ask for, a power of two up to 32768; a device
     *     that has less is fine
     * @param inFlight requests that a queue may hold at a time, 1 to 1024
     * @param pagesPerRequest page numbers of a request, 1 to 1024
     */
    public record Requests(int queueSize, int inFlight, int pagesPerRequest) {
        /** Checks the ranges. */
        public Requests {
            QueueLimits.requireValidSize(queueSize);
            requireWithin("requests in flight", "inFlight", inFlight, 1, MAX_IN_FLIGHT);
            requireWithin("pages per request", "pagesPerRequest", pagesPerRequest, 1, MAX_PAGES);
        }
    }

    /**
     * What the driver does with pages that are not in use.
     *
     * @param fill what the guest fills its free pages with, a 32-bit value repeated; empty if it
     *     doesn't. With a value every page that the driver gives back is filled with it. Linux can
     *     only fill with a repeated byte, which is such a value; the standard's {@code poison_val}
     *     is any
     * @param reportingOrder the lowest order of free blocks that are reported, 0 to 30; what the
     *     allocator can't mark or doesn't deal in is brought into its range
     * @param hintingOrder the order of free blocks that are hinted, 0 to 30; at most the
     *     allocator's highest is used
     * @param reservePages free pages that reporting and hinting always leave to the guest, from 0
     */
    public record FreePages(
            OptionalInt fill, int reportingOrder, int hintingOrder, long reservePages) {
        /** Checks the ranges. */
        public FreePages {
            requireWithin("reporting order", "reportingOrder", reportingOrder, 0, MAX_ORDER);
            requireWithin("hinting order", "hintingOrder", hintingOrder, 0, MAX_ORDER);
            requireWithin("reserve", "reservePages", reservePages, 0, Long.MAX_VALUE);
        }
    }

    /**
     * How long the driver waits, in nanoseconds from 0.
     *
     * @param retryNs until it tries again when the allocator had no page to give, or the device
     *     could not be brought up
     * @param reportingNs from the moment that there is something to report until it is reported, so
     *     that what is used again soon never is
     * @param pressureNs from a deflation for want of memory until the next inflation. The guest
     *     needs the pages it got for more than an instant: without a pause the driver takes them
     *     back at its next step, and the guest is where it was. A second is a few times what Linux
     *     lets an allocation wait for reclaim
     * @param removalNs of a removal until it is forced: the device is reset, whatever it has not
     *     confirmed
     * @param watchNs between two looks whether the device is still there
     */
    public record Delays(
            long retryNs, long reportingNs, long pressureNs, long removalNs, long watchNs) {
        /** Checks the ranges. */
        public Delays {
            requireWithin("retry delay", "retryNs", retryNs, 0, Long.MAX_VALUE);
            requireWithin("reporting delay", "reportingNs", reportingNs, 0, Long.MAX_VALUE);
            requireWithin("pressure delay", "pressureNs", pressureNs, 0, Long.MAX_VALUE);
            requireWithin("removal delay", "removalNs", removalNs, 0, Long.MAX_VALUE);
            requireWithin("watch delay", "watchNs", watchNs, 0, Long.MAX_VALUE);
        }

        /** These delays with another one before a retry. */
        public Delays withRetryNs(long retryNs) {
            return new Delays(retryNs, reportingNs, pressureNs, removalNs, watchNs);
        }
    }

    /** Checks the ranges. */
    public BalloonDriverOptions {
        if ((features & ~EVERY_FEATURE) != 0) {
            throw new IllegalArgumentException(
                    "not features of the balloon: features=0x" + Long.toHexString(features));
        }
    }

    /** These options with another numbering. */
    public BalloonDriverOptions withNumbering(QueueNumbering numbering) {
        return new BalloonDriverOptions(numbering, features, requests, freePages, delays);
    }

    /** These options with other features. */
    public BalloonDriverOptions withFeatures(long features) {
        return new BalloonDriverOptions(numbering, features, requests, freePages, delays);
    }

    /** These options with other requests. */
    public BalloonDriverOptions withRequests(Requests requests) {
        return new BalloonDriverOptions(numbering, features, requests, freePages, delays);
    }

    /** These options with another way with free pages. */
    public BalloonDriverOptions withFreePages(FreePages freePages) {
        return new BalloonDriverOptions(numbering, features, requests, freePages, delays);
    }

    /** These options with other delays. */
    public BalloonDriverOptions withDelays(Delays delays) {
        return new BalloonDriverOptions(numbering, features, requests, freePages, delays);
    }

    /**
     * These options for a guest that fills its free pages: with PAGE_POISON among the features.
     *
     * @param fill a 32-bit value that pages are filled with
     */
    public BalloonDriverOptions withPageFill(int fill) {
        FreePages filled =
                new FreePages(
                        OptionalInt.of(fill),
                        freePages.reportingOrder,
                        freePages.hintingOrder,
                        freePages.reservePages);
        return withFreePages(filled).withFeatures(features | BalloonFeature.PAGE_POISON);
    }

    /**
     * The balloon's features to take of those that are offered (VIRTIO 1.4, 5.5.3.1).
     *
     * @param canReport whether the allocator keeps marks of what was reported
     */
    long featuresOf(long offered, boolean canReport) {
        boolean fills = freePages.fill.isPresent();
        long taken = offered & features;
        if (!fills) {
            taken &= ~BalloonFeature.PAGE_POISON;
        }
        // A reported page loses its content, unless the device knows what it has to be.
        if (!canReport || (fills && (taken & BalloonFeature.PAGE_POISON) == 0)) {
            taken &= ~BalloonFeature.PAGE_REPORTING;
        }
        return taken;
    }

    private static void requireWithin(String what, String name, long value, long least, long most) {
        if (value < least || value > most) {
            String range = most == Long.MAX_VALUE ? "at least " + least : least + " to " + most;
            throw new IllegalArgumentException(
                    what + " must be " + range + ": " + name + "=" + value);
        }
    }
}
