package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.InterruptStatus;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * Moves pages between the guest and its balloon until there are as many in it as the host asks for,
 * and serves the balloon's other queues.
 *
 * <pre>
 *            allocate           confirmed           take lowest           confirmed
 *   allocator ─────▶ inflating ─────▶ ballooned ─────▶ deflating ─────▶ allocator
 *                        │                │                │
 *                        └────────────────┴── reset ───────┴──────────▶ allocator
 * </pre>
 *
 * <p>Invariants: a page is not used from the moment it is named in an inflate request until the
 * device has confirmed its deflate request, whether MUST_TELL_HOST was negotiated or not; a page is
 * not deflated before its inflate request is confirmed (VIRTIO 1.4, 5.5.6.1).
 *
 * <p>When the allocator has no more pages, the driver tries again after a delay, for ever. When the
 * device asks for a reset, breaks a ring, or is gone, the driver resets it, takes all pages back
 * (the device has let go of them) and starts again.
 *
 * <p>One thread's: the guest's, which calls {@link #doWork} when the device interrupts and from
 * time to time. Between two starts no Java memory is allocated.
 */
public final class BalloonDriver {
    /** What a driver is at. */
    public enum State {
        /** Not started, or removed. */
        DOWN,
        /** Following the target. */
        RUNNING,
        /** Giving all pages back, on its way down. */
        REMOVING,
        /** The device was lost; it is brought up again after the retry delay. */
        RESTARTING
    }

    private final DriverTransport transport;
    private final BalloonDriverOptions.Delays delays;
    private final DriverBooks books;
    private final BalloonBringUp device;
    private final DeviceWatch watch;

    private State state = State.DOWN;

    /** While the device is live: when running, or being removed. */
    private @Nullable BalloonLink link;

    /** Of the next restart, or of a forced end of the removal. */
    private long deadlineNs;

    private boolean hasDeadline;

    /**
     * A driver that is down, and will tell the host what it knows of the guest's memory itself.
     *
     * @param memory the guest's RAM
     * @param pages where pages come from, for the balloon and for the driver's own rings and
     *     buffers. Free pages are reported only if it is {@link
     *     io.aerostat.guest.page.ReportablePages}
     * @param transport the way to the device
     * @param options how to work
     */
    public BalloonDriver(
            GuestMemory memory,
            PageAllocator pages,
            DriverTransport transport,
            BalloonDriverOptions options) {
        this(memory, pages, transport, options, null);
    }

    /**
     * A driver that is down.
     *
     * @param statistics what the host is told of the guest's memory, or null for what the driver
     *     knows itself: MEMFREE, MEMTOT and AVAIL of the allocator
     * @see #BalloonDriver(GuestMemory, PageAllocator, DriverTransport, BalloonDriverOptions)
     */
    public BalloonDriver(
            GuestMemory memory,
            PageAllocator pages,
            DriverTransport transport,
            BalloonDriverOptions options,
            @Nullable StatisticsSource statistics) {
        GuestPages guestPages = new GuestPages(memory, pages, options.freePages().fill());
        long end = memory.region(memory.regionCount() - 1).end();
        this.delays = options.delays();
        this.books =
                new DriverBooks(
                        guestPages,
                        new BalloonedPages(Math.toIntExact(end >>> PageFrame.SHIFT)),
                        new DriverCounters(),
                        new StatisticsBuffer(),
                        statistics != null
                                ? statistics
                                : new AllocatorStatistics(guestPages, this::missingPages));
        this.device = new BalloonBringUp(memory, transport, books, options);
        this.watch = new DeviceWatch(transport, delays.watchNs());
        this.transport = transport;
    }

    /**
     * Pages that do not count as the guest's memory because of the balloon: with DEFLATE_ON_OOM it
     * is a reserve of the guest, and counts.
     */
    public long missingPages() {
        return link == null || link.deflatesOnOom() ? 0 : link.inPossession();
    }

    // up and down

    /**
     * Brings the device up. The driver must be down.
     *
     * @return null, or why it failed; the driver is down then
     */
    public @Nullable HandshakeFailure start() {
        if (state != State.DOWN) {
            throw new IllegalStateException("the driver is not down: state=" + state);
        }
        bringUp();
        return device.failure();
    }

    /**
     * Gives all pages back through the deflate queue, then lets go of the device: {@link #doWork}
     * until the state is DOWN. If the device does not confirm that within the removal delay, as by
     * {@link #forceRemove}.
     */
    public void remove() {
        switch (state) {
            case RUNNING -> {
                state = State.REMOVING;
                hasDeadline = false;
            }
            case RESTARTING -> state = State.DOWN;
            case REMOVING, DOWN -> {}
        }
    }

    /**
     * Lets go of the device at once: resets it, which returns all pages to the guest, whatever it
     * had not confirmed. The driver is down then.
     */
    public void forceRemove() {
        letGo();
        state = State.DOWN;
    }

    private boolean bringUp() {
        link = device.bringUp();
        if (link == null) {
            return false;
        }
        watch.begin();
        state = State.RUNNING;
        return true;
    }

    private void letGo() {
        device.letGo(link);
        link = null;
    }

    // the step

    /**
     * Does what there is to do: confirmed requests, a new target, new requests, statistics, hints
     * and reports. Bounded by the requests in flight and 32 hints.
     *
     * @param nowNs the guest's clock in nanoseconds, from any origin
     * @return 0 if nothing was done
     */
    public int doWork(long nowNs) {
        return switch (state) {
            case DOWN -> 0;
            case RESTARTING -> restart(nowNs);
            case RUNNING, REMOVING -> link == null ? 0 : serve(link, nowNs);
        };
    }

    private int serve(BalloonLink live, long nowNs) {
        int causes = transport.interruptCauses();
        int work = handle(live, causes);
        if (causes != 0) {
            transport.acknowledge(causes);
            // An event between handling and acknowledging has left no bit: look again.
            work += 1 + handle(live, causes);
        }
        if (watch.isLost(live.fault(), nowNs)) {
            return loseDevice(nowNs);
        }
        work += live.follow(state == State.REMOVING, nowNs);
        return state == State.REMOVING ? work + goDown(live, nowNs) : work;
    }

    private int handle(BalloonLink live, int causes) {
        if ((causes & InterruptStatus.CONFIG_CHANGE_FLAG) != 0 && watch.check()) {
            live.readConfig();
        }
        return live.reap();
    }

    private int loseDevice(long nowNs) {
        letGo();
        books.counters().add(DriverCounter.RESTARTS, 1);
        state = state == State.REMOVING ? State.DOWN : State.RESTARTING;
        deadlineNs = nowNs + delays.retryNs();
        return 1;
    }

    private int restart(long nowNs) {
        if (nowNs - deadlineNs < 0) {
            return 0;
        }
        if (!bringUp()) {
            // Each attempt at a reset that does not end takes long.
            boolean stuck = device.failure() == HandshakeFailure.RESET_UNFINISHED;
            deadlineNs = nowNs + (stuck ? delays.removalNs() : delays.retryNs());
        }
        return 1;
    }

    /** Goes down when all pages are back, or the device had time enough. */
    private int goDown(BalloonLink live, long nowNs) {
        boolean isOverdue = hasDeadline && nowNs - deadlineNs >= 0;
        if (!hasDeadline) {
            hasDeadline = true;
            deadlineNs = nowNs + delays.removalNs();
        }
        if (live.inPossession() > 0 && !isOverdue) {
            return 0;
        }
        forceRemove();
        return 1;
    }

    // what the guest asks for

    /**
     * Takes pages out of the balloon because the guest is out of memory, whatever the target says
     * (VIRTIO 1.4, 5.5.6.1). They are the guest's when the device has confirmed it: {@link
     * #doWork}. The driver takes none in for the pressure delay, and goes back to the target then,
     * as far as the allocator has pages.
     *
     * @param pages how many are wanted, from 0; Linux asks for 256 at a time
     * @return how many are on their way by this call; 0 without DEFLATE_ON_OOM, with an empty
     *     balloon, or when all requests are out
     */
    public long deflateOnOom(long pages) {
        requireNoLessThan0(pages);
        return link == null ? 0 : link.deflateOnOom(pages);
    }

    /**
     * Takes pages back that were hinted to the host as free, because the guest needs memory. What
     * is left of the round of hints is left out. The pages are free at once.
     *
     * @param pages how many are wanted, from 0; whole blocks are given back
     * @return how many were given back
     */
    public long releaseHinted(long pages) {
        requireNoLessThan0(pages);
        return link == null ? 0 : link.releaseHinted(pages);
    }

    /** Tells whether a page is in the balloon, confirmed, and on no way to anywhere. */
    public boolean owns(int pfn) {
        return books.ballooned().contains(pfn);
    }

    /**
     * Starts to put another page into the balloon in the place of this one, so that a block around
     * it can become free. The page is freed some steps later; {@link DriverCounter#PAGES_MIGRATED}
     * counts it then.
     *
     * @return false if nothing was started: the driver doesn't {@linkplain #owns own} the page or
     *     is not running, or there is no page to take, or no request free
     */
    public boolean migrate(int pfn) {
        return state == State.RUNNING && link != null && link.migrate(pfn);
    }

    private static void requireNoLessThan0(long pages) {
        if (pages < 0) {
            throw new IllegalArgumentException("pages must not be negative: pages=" + pages);
        }
    }

    // what it is at

    /** What the driver is at. */
    public State state() {
        return state;
    }

    /** The negotiated features; 0 without a live device. */
    public long features() {
        return link == null ? 0 : link.features();
    }

    /** Pages that the host wants in the balloon, as last read; 0 without a live device. */
    public long targetPages() {
        return link == null ? 0 : link.targetPages();
    }

    /**
     * Pages that the device has, by its own word: in the balloon, and not confirmed to be out of
     * it. Of a page that is being replaced and its replacement, one.
     */
    public long balloonedPages() {
        return link == null ? 0 : link.balloonedPages();
    }

    /** Pages that the guest cannot use because of the balloon: those, and those on their way. */
    public long inPossession() {
        return link == null ? 0 : link.inPossession();
    }

    /** Pages that were sent back and are the guest's when the device has confirmed it. */
    public long deflatingPages() {
        return link == null ? 0 : link.deflatingPages();
    }

    /** Free pages that are held back until the host has heard of them, or is done with them. */
    public long heldPages() {
        return hintedPages() + isolatedPages();
    }

    /** Free pages that are held back because they were hinted to the host. */
    public long hintedPages() {
        return link == null ? 0 : link.hintedPages();
    }

    /** Free pages that are held back until the device has confirmed a report of them. */
    public long isolatedPages() {
        return link == null ? 0 : link.isolatedPages();
    }

    /** Pages that the driver's own rings and buffers take. */
    public long pinnedPages() {
        return device.pinnedPages();
    }

    /**
     * Pages that are lost to the guest for good, because a device that had them was reset and never
     * said that it is: it might still write to them.
     */
    public long abandonedPages() {
        return books.pages().abandonedPages();
    }

    /**
     * Tells whether the allocator had no more pages at the last attempt; there will be another
     * after the retry delay.
     */
    public boolean isOutOfPages() {
        return link != null && link.isOutOfPages();
    }

    /** What was counted since the driver was made. */
    public DriverCounters counters() {
        return books.counters();
    }

    /** How often the device was lost and reset since the driver was made. */
    public long restarts() {
        return books.counters().get(DriverCounter.RESTARTS);
    }

    /** Why the device was lost the last time, or null if it never was. */
    public @Nullable DeviceLoss lastLoss() {
        return watch.lastLoss();
    }

    /** How the device broke a ring the last time that it did, or null. */
    public @Nullable QueueFault lastFault() {
        return watch.lastFault();
    }

    /** Why the last attempt to bring the device up failed, or null if it did not. */
    public @Nullable HandshakeFailure lastFailure() {
        return device.failure();
    }
}
