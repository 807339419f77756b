package io.aerostat.balloon;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.BalloonCounters;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.RestoredQueues;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.HintCommand;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.jspecify.annotations.Nullable;

import java.util.function.Consumer;

/**
 * A virtio memory balloon: the host sets a target, the guest's driver moves pages, and what is in
 * the balloon is given back to the host.
 *
 * <pre>
 *   host: target(pages) ──▶ pace ──▶ num_pages ──▶ driver
 *                                                   │ page numbers on the inflate and deflate queues
 *   host: ledgerPages(), counters() ◀── ranges ──▶ reclaimer     discarded before the request is returned
 *   host: actualPages()             ◀── actual                   the driver's word, checked against the ledger
 *   host: statistics()              ◀── figures                  the guest's word, checked where it can be
 *   host: hinting()                 ◀── pages that were free     for whoever copies the guest's memory
 *                                       free pages ──▶ reclaimer discarded before the report is returned
 * </pre>
 *
 * <p>A reset of the device by its driver returns every page to the guest; the target is the host's
 * and stays (the standard leaves both open).
 *
 * <p>Host calls come from any thread. The rest runs on the thread that owns the device, see {@link
 * DeviceController}.
 */
public final class BalloonDevice implements VirtioDevice {
    /** How many queues a balloon may have. */
    public static final int QUEUE_COUNT = BalloonQueues.COUNT;

    private static final long TRANSPORT_FEATURES =
            Feature.VERSION_1 | Feature.INDIRECT_DESC | Feature.EVENT_IDX;

    /** The highest page number, and as many pages as num_pages can ask for. */
    private static final long MAX_PAGES = 0xFFFF_FFFFL;

    private final GuestMemory memory;
    private final PageReclaimer reclaimer;
    private final BalloonOptions options;
    private final long offered;
    private final BalloonConfig config;
    private final BalloonCounters counters;
    private final BalloonQueues queues;
    private final TargetPace pace;
    private final ActualCheck actualCheck = new ActualCheck();
    private final StatisticsCheck statisticsCheck;
    private final AccessCheck accessCheck;
    private final BalloonedPages ballooned;
    private final MemoryStatistics statistics;
    private final FreePageHinting hinting;

    private @Nullable DeviceController controller;
    private int poisonAtStart;

    /** New or restored, and the owner's clock was not seen since: so far it stands at 0. */
    private boolean clockIsUnknown = true;

    private volatile long negotiated;
    private volatile long ledgerPages;
    private volatile long incompletePages;

    /**
     * A balloon of {@link BalloonOptions#DEFAULT} for the given RAM, see {@link
     * #BalloonDevice(GuestMemory, PageReclaimer, BalloonOptions)}.
     */
    public BalloonDevice(GuestMemory memory, PageReclaimer reclaimer) {
        this(memory, reclaimer, BalloonOptions.DEFAULT);
    }

    /**
     * A balloon for the given RAM.
     *
     * @param reclaimer gives pages back to the host
     * @throws IllegalArgumentException if there is RAM that a 32-bit page number cannot name, above
     *     2^44
     */
    public BalloonDevice(GuestMemory memory, PageReclaimer reclaimer, BalloonOptions options) {
        this(memory, reclaimer, options, new BalloonCounters());
    }

    /**
     * A balloon that goes on counting where another one of the same guest has ended, as when its
     * RAM is mapped anew.
     */
    public BalloonDevice(
            GuestMemory memory,
            PageReclaimer reclaimer,
            BalloonOptions options,
            BalloonCounters counters) {
        long end = memory.region(memory.regionCount() - 1).end();
        boolean nameable = (end - 1) >>> PageFrame.SHIFT <= MAX_PAGES;
        if (!nameable || memory.bytes() >>> PageFrame.SHIFT > MAX_PAGES) {
            throw new IllegalArgumentException(
                    "RAM must be what 32-bit page numbers and num_pages can tell, to 2^44: end="
                            + end);
        }
        this.memory = memory;
        this.reclaimer = reclaimer;
        this.options = options;
        this.counters = counters;
        this.offered = offeredFeatures(options);
        this.config = new BalloonConfig(offered);
        this.queues = new BalloonQueues(memory, reclaimer, options, offered, counters);
        this.pace = new TargetPace(options.pagesPerSecond(), options.oomHoldNs());
        this.accessCheck = new AccessCheck(queues.ledger(), counters);
        this.statisticsCheck = new StatisticsCheck(memory.bytes(), counters);
        this.ballooned = new BalloonedPages(memory, queues, reclaimer);
        Consumer<Runnable> owner = command -> runner().execute(command);
        this.statistics = new MemoryStatistics(queues.stats(), owner);
        this.hinting = new FreePageHinting(queues.hints(), owner, this::tellHintCommand);
    }

    /** The features that a balloon made with these options offers. */
    public static long offeredFeatures(BalloonOptions options) {
        return TRANSPORT_FEATURES | options.features();
    }

    // the host, any thread

    /**
     * Asks the guest to have {@code pages} pages in the balloon. Returns at once: the guest is told
     * in the owner's next pass, and takes its time.
     *
     * @param pages 0 to the pages of RAM, places where none is attached included
     * @throws IllegalArgumentException if it is less or more
     * @throws IllegalStateException if there is no register window or other transport around this
     *     balloon yet
     */
    public void target(long pages) {
        if (pages < 0 || pages > memory.bytes() >>> PageFrame.SHIFT) {
            throw new IllegalArgumentException(
                    "target must be 0 to "
                            + (memory.bytes() >>> PageFrame.SHIFT)
                            + " pages: pages="
                            + pages);
        }
        runner().execute(
                        () -> {
                            pace.want(pages, queues.ledger().count());
                            // Told even if nothing changed, as QEMU does: the guest looks again.
                            showTarget();
                        });
    }

    /**
     * Pages that the host wants in the balloon, as the guest sees it now: less than {@link #target}
     * said while it rises slowly, or while a guest in need is left alone.
     */
    public long targetPages() {
        return config.numPages();
    }

    /** Pages in the balloon by the driver's word; 0 while none is up. */
    public long actualPages() {
        return negotiated == 0 ? 0 : config.actual();
    }

    /** Pages in the balloon by the device's own ledger. */
    public long ledgerPages() {
        return ledgerPages;
    }

    /**
     * Pages in the balloon that the host has not been given back, as their host page is not wholly
     * in it; 0 where host pages are 4 KiB.
     */
    public long incompletePages() {
        return incompletePages;
    }

    /** The features that the driver took and that are in force; 0 while no driver is up. */
    public long negotiatedFeatures() {
        return negotiated;
    }

    /** What the guest says about its memory. */
    public MemoryStatistics statistics() {
        return statistics;
    }

    /** Which of the guest's pages are free, for whoever copies its memory. */
    public FreePageHinting hinting() {
        return hinting;
    }

    /**
     * Tells that the guest accesses a byte of its RAM, from wherever an embedder sees that: a fault
     * handler, a slow path. Wanted for pages in the balloon; others cost a look at the ledger.
     *
     * @param gpa any address
     * @param verdict is told at once if the page is not in the balloon, otherwise by the device's
     *     owner, once it has served what the driver had sent, and so not while the controller is
     *     drained; must be quick. The counters know too
     */
    public void onGuestAccess(long gpa, Consumer<GuestAccess> verdict) {
        long pfn = gpa >>> PageFrame.SHIFT;
        if (!queues.ledger().contains(pfn)) {
            verdict.accept(GuestAccess.FREE_TO_USE);
            return;
        }
        if (!accessCheck.enter()) {
            verdict.accept(GuestAccess.UNDECIDED);
            return;
        }
        runner().execute(
                        () ->
                                accessCheck.judge(
                                        pfn,
                                        has(BalloonFeature.MUST_TELL_HOST),
                                        deflates(),
                                        verdict));
    }

    /** What the device has counted. */
    public BalloonCounters counters() {
        return counters;
    }

    /** What gives pages back. */
    public PageReclaimer reclaimer() {
        return reclaimer;
    }

    private DeviceController runner() {
        if (controller == null) {
            throw new IllegalStateException("no controller runs this balloon yet");
        }
        return controller;
    }

    // the owner

    /** Which pages are in the balloon. The owner only, through {@link DeviceController#execute}. */
    public BalloonedPages ballooned() {
        return ballooned;
    }

    private boolean has(long feature) {
        return (negotiated & feature) != 0;
    }

    /** Tells whether deflate requests are served. */
    private boolean deflates() {
        boolean broken = (runner().status() & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0;
        return !broken && queues.indexOf(BalloonQueue.DEFLATE) != QueueNumbering.ABSENT;
    }

    private void showTarget() {
        config.numPages(pace.shown());
        runner().configChanged();
    }

    private void tellHintCommand(int command) {
        if (config.hintCommand(command)) {
            runner().configChanged();
        }
    }

    // the controller

    @Override
    public void attached(DeviceController controller) {
        if (this.controller != null) {
            throw new IllegalStateException("a balloon is run by one controller");
        }
        this.controller = controller;
    }

    @Override
    public int deviceId() {
        return DeviceType.BALLOON;
    }

    @Override
    public long offeredFeatures() {
        return offered;
    }

    @Override
    public boolean accepts(long features) {
        return true;
    }

    @Override
    public int queueCount() {
        return BalloonQueues.COUNT;
    }

    @Override
    public int queueSizeMax(int queue, long features) {
        return queues.at(queue, features) == null ? 0 : options.queueSize();
    }

    @Override
    public boolean mayBeAt(int queue, QueueAddresses addresses) {
        return queues.mayBeAt(addresses);
    }

    @Override
    public ConfigSpace config() {
        return config.space();
    }

    @Override
    public void elapsed(long nowNs) {
        if (clockIsUnknown) {
            clockStarts(nowNs);
        }
        long count = queues.ledger().count();
        boolean mayTakeBack = has(BalloonFeature.DEFLATE_ON_OOM);
        counters.add(BalloonCounter.PAGES_TAKEN_BACK, pace.elapsed(nowNs, count, mayTakeBack));
        if (pace.shown() != targetPages()) {
            showTarget();
        }
        if (queues.stats().elapsed(nowNs)) {
            statisticsCheck.asked(count);
            requestService(BalloonQueue.STATS);
        }
        if (accessCheck.isWaiting()) {
            if (deflates()) {
                requestService(BalloonQueue.DEFLATE);
            } else {
                accessCheck.deflateQueueGone();
            }
        }
    }

    private void requestService(BalloonQueue queue) {
        int index = queues.indexOf(queue);
        if (index != QueueNumbering.ABSENT) {
            runner().requestService(index);
        }
    }

    @Override
    public void memoryChanged() {
        reclaimer.memoryChanged();
    }

    @Override
    public void activate(long features) {
        negotiated = features;
        actualCheck.agree(queues.ledger().count());
        poisonAtStart = config.poison();
        queues.activate(features, poisonAtStart);
        // A rise begins with the driver, not with the reset before it; and it may look at once.
        pace.restart();
        config.numPages(pace.shown());
    }

    @Override
    public void queueEnabled(int queue, QueueAddresses addresses) {
        queues.enabled(queue, addresses);
    }

    @Override
    public void queueDisabled(int queue) {
        boolean deflate = queue == queues.indexOf(BalloonQueue.DEFLATE);
        queues.disabled(queue);
        if (deflate) {
            accessCheck.deflateQueueGone();
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>Deflation: a driver without MUST_TELL_HOST may take a page back, use it, free it and give
     * it again before the first is confirmed. The one before the other, then, and not the reverse.
     */
    @Override
    public int firstOf(long waiting) {
        int deflate = queues.indexOf(BalloonQueue.DEFLATE);
        boolean first = deflate != QueueNumbering.ABSENT && (waiting >>> deflate & 1) != 0;
        return first ? deflate : Long.numberOfTrailingZeros(waiting);
    }

    @Override
    public int service(int queue, DeviceQueue ring, Interrupts interrupts) {
        BalloonQueue which = queues.liveAt(queue);
        if (which == BalloonQueue.DEFLATE) {
            accessCheck.beforeDeflation(ring);
        }
        int outcome = queues.service(which, queue, ring, interrupts);
        switch (which) {
            case DEFLATE -> accessCheck.afterDeflation(ring, queues.deflate().isAtRest());
            case STATS ->
                    statisticsCheck.look(
                            queues.stats().latest(), has(BalloonFeature.MUST_TELL_HOST));
            case INFLATE, FREE_PAGE_HINT, REPORTING -> {}
        }
        publishLedger();
        return outcome;
    }

    @Override
    public void configWritten() {
        // A driver that does not know yet that its device was reset may say what was so.
        boolean up = negotiated != 0;
        if (up && !actualCheck.isPlausible(actualPages(), queues.ledger().count())) {
            counters.add(BalloonCounter.FALSE_ACTUAL, 1);
        }
        if (has(BalloonFeature.PAGE_POISON) && config.poison() != poisonAtStart) {
            counters.add(BalloonCounter.POISON_CHANGES, 1);
            poisonAtStart = config.poison();
            queues.poison(poisonAtStart);
        }
    }

    @Override
    public void reset() {
        accessCheck.deflateQueueGone();
        queues.reset();
        queues.stats().forget();
        hinting.driverGone();
        config.hintCommand(HintCommand.STOP);
        negotiated = 0;
        actualCheck.agree(0);
        pace.restart();
        publishLedger();
    }

    // save and restore

    @Override
    public void save(SnapshotWriter out) {
        options.save(out);
        pace.save(out);
        actualCheck.save(out);
        out.writeInt(poisonAtStart);
        queues.save(out);
        statisticsCheck.save(out);
    }

    @Override
    public Runnable prepareRestore(SnapshotReader in, RestoredQueues restored)
            throws SnapshotException {
        options.require(in);
        Runnable paceRestored = pace.prepareRestore(in, memory.bytes() >>> PageFrame.SHIFT);
        Runnable actualRestored = actualCheck.prepareRestore(in);
        int savedPoison = in.readInt("poisonAtStart");
        Runnable queuesRestored = queues.prepareRestore(in, restored);
        Runnable statisticsRestored = statisticsCheck.prepareRestore(in, queues.stats()::latest);
        long features = restored.features();
        return () -> {
            negotiated = features;
            poisonAtStart = savedPoison;
            queues.activate(features, config.poison());
            // What was in the balloon before this need not be afterwards.
            queues.tellAllReturned();
            queuesRestored.run();
            paceRestored.run();
            actualRestored.run();
            statisticsRestored.run();
            clockIsUnknown = true;
            publishLedger();
        };
    }

    private void clockStarts(long nowNs) {
        clockIsUnknown = false;
        pace.clockStarts(nowNs);
        queues.stats().clockStarts(nowNs);
        statisticsCheck.seen(queues.stats().latest());
    }

    private void publishLedger() {
        long count = queues.ledger().count();
        actualCheck.ledgerAt(count);
        statisticsCheck.ledgerAt(count);
        incompletePages = queues.hostPages().incompletePages();
        ledgerPages = count;
    }
}
