package io.aerostat.guest.balloon;

import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.jspecify.annotations.Nullable;

/**
 * The driver's side of one live device, from the set-up of its queues until its reset: the flows of
 * pages and the optional queues that were negotiated, each in its own class.
 *
 * <pre>
 *   actual        = in the balloon + deflating + being replaced
 *   in possession = actual + inflating + moves under way
 * </pre>
 *
 * <p>Outside both are the pages of hints and reports: they are the guest's all the time, though not
 * in use.
 */
final class BalloonLink {
    private static final long UNKNOWN = -1;

    private final DriverTransport transport;
    private final DriverBooks books;
    private final BalloonDriverOptions.Delays delays;
    private final long features;
    private final Migration migration;
    private final Inflation inflation;
    private final Deflation deflation;
    private final @Nullable StatisticsQueue statistics;
    private final @Nullable HintQueue hints;
    private final @Nullable ReportingQueue reports;

    private long target;
    private boolean isUnderPressure;

    /** The device may still show the balloon of before a reset. */
    private long writtenActual = UNKNOWN;

    /**
     * @param features the negotiated ones
     * @param queues which are open
     */
    BalloonLink(
            DriverTransport transport,
            long features,
            BalloonQueues queues,
            DriverBooks books,
            BalloonDriverOptions options) {
        this.transport = transport;
        this.books = books;
        this.delays = options.delays();
        this.features = features;
        this.migration = new Migration(books, queues.inflate(), queues.deflate());
        this.inflation = new Inflation(books, queues.inflate(), migration, options);
        this.deflation = new Deflation(books, queues.deflate(), migration, options);
        this.statistics = queues.statistics();
        this.hints = queues.hints();
        this.reports = queues.reports();
    }

    // the step

    /** What follows DRIVER_OK: the first statistics are announced, the configuration is read. */
    void begin() {
        if (statistics != null) {
            statistics.announce();
        }
        readConfig();
    }

    /**
     * Reads the fields that the host writes. Each is read on its own and by a single access, so
     * that the configuration's generation has nothing to say.
     */
    void readConfig() {
        target = Integer.toUnsignedLong(transport.readConfig(BalloonConfigLayout.NUM_PAGES_OFFSET));
        if (hints != null) {
            hints.command(transport.readConfig(BalloonConfigLayout.FREE_PAGE_HINT_CMD_ID_OFFSET));
        }
    }

    /** Takes what the device has confirmed, and answers for statistics; how many buffers. */
    int reap() {
        int reaped = inflation.reap() + deflation.reap();
        if (statistics != null && statistics.serve()) {
            reaped++;
        }
        if (hints != null) {
            reaped += hints.reap();
        }
        return reports == null ? reaped : reaped + reports.reap();
    }

    /**
     * Goes on towards the target, or to an empty balloon, and with hints and reports.
     *
     * @return 0 if nothing was done
     */
    int follow(boolean isRemoving, long nowNs) {
        writeActual();
        if (isUnderPressure) {
            isUnderPressure = false;
            inflation.pauseUntil(nowNs + delays.pressureNs());
        }
        int work = migration.sendLeaving();
        long wanted = isRemoving ? 0 : target;
        long inside = books.ballooned().count();
        long committed = inside + inflation.inFlight() + migration.arriving();
        if (committed < wanted) {
            work += inflation.submit(wanted - committed, nowNs);
        } else {
            inflation.satisfied();
            work += deflation.submit(Math.min(inside, committed - wanted));
        }
        return work + supply(isRemoving, nowNs);
    }

    /** What is hinted or isolated comes back by the reset at the end of the removal. */
    private int supply(boolean isRemoving, long nowNs) {
        if (hints != null && isRemoving) {
            hints.endRound();
        }
        int work = hints == null ? 0 : hints.supply();
        return reports == null || isRemoving ? work : work + reports.supply(nowNs);
    }

    private void writeActual() {
        long actual = balloonedPages();
        if (actual != writtenActual) {
            transport.writeConfig(BalloonConfigLayout.ACTUAL_OFFSET, (int) actual);
            writtenActual = actual;
        }
    }

    // what the guest asks for

    /** See {@link BalloonDriver#deflateOnOom}. */
    long deflateOnOom(long wanted) {
        if (!deflatesOnOom() || wanted == 0) {
            return 0;
        }
        isUnderPressure = true;
        long before = deflation.inFlight();
        deflation.submit(Math.min(wanted, books.ballooned().count()));
        long sent = deflation.inFlight() - before;
        books.counters().add(DriverCounter.PAGES_DEFLATED_ON_OOM, sent);
        return sent;
    }

    /** See {@link BalloonDriver#releaseHinted}. */
    long releaseHinted(long wanted) {
        return hints == null ? 0 : hints.takeBack(wanted);
    }

    /** See {@link BalloonDriver#migrate}. */
    boolean migrate(int pfn) {
        return migration.begin(pfn);
    }

    // what it is at

    /** What the device did wrong to a ring, or null. */
    @Nullable QueueFault fault() {
        QueueFault fault = inflation.fault();
        fault = fault == null ? deflation.fault() : fault;
        fault = fault == null && statistics != null ? statistics.fault() : fault;
        fault = fault == null && hints != null ? hints.fault() : fault;
        return fault == null && reports != null ? reports.fault() : fault;
    }

    long features() {
        return features;
    }

    long targetPages() {
        return target;
    }

    long balloonedPages() {
        return books.ballooned().count() + deflation.inFlight() + migration.arriving();
    }

    long inPossession() {
        return balloonedPages() + inflation.inFlight() + migration.moves();
    }

    long deflatingPages() {
        return deflation.inFlight();
    }

    long hintedPages() {
        return hints == null ? 0 : hints.heldPages();
    }

    long isolatedPages() {
        return reports == null ? 0 : reports.isolatedPages();
    }

    boolean deflatesOnOom() {
        return (features & BalloonFeature.DEFLATE_ON_OOM) != 0;
    }

    boolean isOutOfPages() {
        return inflation.isOutOfPages();
    }

    /** Gives all pages back to the guest. The device must have been reset, or be gone. */
    void release() {
        BalloonedPages ballooned = books.ballooned();
        while (ballooned.count() > 0) {
            books.pages().free(ballooned.takeLowest(), 0);
        }
        migration.release();
        inflation.release();
        deflation.release();
        if (hints != null) {
            hints.release();
        }
        if (reports != null) {
            reports.release();
        }
    }
}
