package io.aerostat.balloon;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.BalloonCounters;
import io.aerostat.balloon.handler.Deflation;
import io.aerostat.balloon.handler.Inflation;
import io.aerostat.balloon.handler.PfnQueueHandler;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.ProtectedPages;
import io.aerostat.balloon.range.RamClip;
import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.AvailableRingLayout;
import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.UsedRingLayout;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.jspecify.annotations.Nullable;

/**
 * A virtio memory balloon: the host sets a target, the guest's driver moves pages, and what is in
 * the balloon is given back to the host.
 *
 * <pre>
 *   host: target(pages) ──▶ num_pages ──▶ driver
 *                                           │ page numbers on the inflate and deflate queues
 *   host: ledgerPages(), counters() ◀── ranges ──▶ reclaimer        discarded before the request is returned
 *   host: actualPages()             ◀── actual                      the driver's word, checked against the ledger
 * </pre>
 *
 * <p>Offers INDIRECT_DESC, EVENT_IDX and MUST_TELL_HOST. A reset of the device by its driver
 * returns every page to the guest; the target is the host's and stays (the standard leaves both
 * open).
 *
 * <p>Host calls come from any thread. The rest runs on the thread that owns the device, see {@link
 * DeviceController}.
 */
public final class BalloonDevice implements VirtioDevice {
    private static final long OFFERED =
            Feature.VERSION_1
                    | Feature.INDIRECT_DESC
                    | Feature.EVENT_IDX
                    | BalloonFeature.MUST_TELL_HOST;

    private static final int CONFIG_LENGTH = BalloonConfigLayout.ACTUAL_OFFSET + Integer.BYTES;
    private static final long DRIVER_WRITABLE_FIELDS =
            1L << (BalloonConfigLayout.ACTUAL_OFFSET / Integer.BYTES);

    /** The highest page number, and as many pages as num_pages can ask for. */
    private static final long MAX_PAGES = 0xFFFF_FFFFL;

    /** A ring has three parts, each somewhere else. */
    private static final int PARTS_OF_RING = 3;

    /** Ranges that are told to be in use again at once when the device is reset. */
    private static final int RETURNED_RANGES = 1024;

    private static final int QUEUE_COUNT = BalloonQueue.DEFLATE.ordinal() + 1;

    private final GuestMemory memory;
    private final PageReclaimer reclaimer;
    private final BalloonOptions options;
    private final ConfigSpace config = new ConfigSpace(CONFIG_LENGTH, DRIVER_WRITABLE_FIELDS);
    private final BalloonCounters counters = new BalloonCounters();
    private final PageLedger ledger;
    private final ProtectedPages ringPages = new ProtectedPages(QUEUE_COUNT * PARTS_OF_RING);
    private final PfnQueueHandler[] handlers;
    private final ActualCheck actualCheck = new ActualCheck();
    private final PageRanges returned = new PageRanges(RETURNED_RANGES);

    private @Nullable DeviceController controller;
    private volatile long ledgerPages;

    /**
     * A balloon for the given RAM.
     *
     * @param reclaimer gives pages back to the host
     * @throws IllegalArgumentException if there is RAM that a 32-bit page number cannot name, above
     *     2^44
     */
    public BalloonDevice(GuestMemory memory, PageReclaimer reclaimer, BalloonOptions options) {
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
        this.ledger = new PageLedger(memory);
        RamClip clip = new RamClip(memory, ringPages, options.workBudget());
        int budget = options.workBudget();
        this.handlers =
                new PfnQueueHandler[] {
                    new PfnQueueHandler(
                            memory,
                            new Inflation(clip, ledger, reclaimer, counters),
                            counters,
                            budget),
                    new PfnQueueHandler(
                            memory,
                            new Deflation(clip, ledger, reclaimer, counters),
                            counters,
                            budget),
                };
    }

    // the host, any thread

    /**
     * Asks the guest to have {@code pages} pages in the balloon. Returns at once: the guest takes
     * its time.
     *
     * @param pages 0 to the pages of RAM
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
                            config.set(BalloonConfigLayout.NUM_PAGES_OFFSET, (int) pages);
                            runner().configChanged();
                        });
    }

    /** Pages that the host wants in the balloon, as the guest sees it. */
    public long targetPages() {
        return Integer.toUnsignedLong(config.get(BalloonConfigLayout.NUM_PAGES_OFFSET));
    }

    /** Pages in the balloon by the driver's word. */
    public long actualPages() {
        return Integer.toUnsignedLong(config.get(BalloonConfigLayout.ACTUAL_OFFSET));
    }

    /** Pages in the balloon by the device's own ledger. */
    public long ledgerPages() {
        return ledgerPages;
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

    /**
     * Bytes of ballooned pages that the host, asked now, does not have in memory: the part of the
     * balloon that has really been given back. Slow; the owner only, through {@link
     * DeviceController#execute}.
     *
     * @return bytes, or {@link PageReclaimer#UNKNOWN} if the host cannot tell
     */
    public long verifiedBytes() {
        long[] verified = {0};
        ledger.forEachRange(
                (pfn, pages) -> {
                    long unit = reclaimer.granularityBytes();
                    long first = ((pfn << PageFrame.SHIFT) + unit - 1) & -unit;
                    long bytes = (((pfn + pages) << PageFrame.SHIFT) & -unit) - first;
                    if (bytes <= 0) {
                        return;
                    }
                    long resident = reclaimer.residentBytes(first, bytes);
                    boolean known =
                            resident != PageReclaimer.UNKNOWN
                                    && verified[0] != PageReclaimer.UNKNOWN;
                    verified[0] = known ? verified[0] + bytes - resident : PageReclaimer.UNKNOWN;
                });
        return verified[0];
    }

    /**
     * Visits the pages in the balloon by ascending address. The owner only, through {@link
     * DeviceController#execute}.
     */
    public void forEachBalloonedRange(PageLedger.RangeConsumer consumer) {
        ledger.forEachRange(consumer);
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
        return OFFERED;
    }

    @Override
    public boolean accepts(long features) {
        return true;
    }

    @Override
    public int queueCount() {
        return QUEUE_COUNT;
    }

    @Override
    public int queueSizeMax(int queue, long features) {
        return queueAt(queue, features) == null ? 0 : options.queueSize();
    }

    private @Nullable BalloonQueue queueAt(int index, long features) {
        QueueNumbering numbering = options.numbering();
        for (BalloonQueue queue : BalloonQueue.values()) {
            if (numbering.indexOf(queue, OFFERED, features) == index) {
                return queue;
            }
        }
        return null;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public void activate(long features) {
        actualCheck.agree(ledger.count());
    }

    @Override
    public void queueEnabled(int queue, QueueAddresses addresses) {
        int slot = queue * PARTS_OF_RING;
        int size = addresses.size();
        ringPages.protect(slot, addresses.descriptorTable(), DescriptorLayout.offset(size));
        ringPages.protect(slot + 1, addresses.availableRing(), AvailableRingLayout.length(size));
        ringPages.protect(slot + 2, addresses.usedRing(), UsedRingLayout.length(size));
    }

    @Override
    public void queueDisabled(int queue) {
        for (int part = 0; part < PARTS_OF_RING; part++) {
            ringPages.release(queue * PARTS_OF_RING + part);
        }
        handlers[queue].reset();
    }

    @Override
    public int service(int queue, DeviceQueue ring, Interrupts interrupts) {
        int outcome = handlers[queue].service(queue, ring, interrupts);
        publishLedger();
        return outcome;
    }

    @Override
    public void configWritten() {
        if (!actualCheck.isPlausible(actualPages(), ledger.count())) {
            counters.add(BalloonCounter.FALSE_ACTUAL, 1);
        }
    }

    @Override
    public void reset() {
        ledger.forEachRange(this::returnToGuest);
        tellReturned();
        counters.add(BalloonCounter.PAGES_RETURNED_BY_RESET, ledger.count());
        ledger.clear();
        for (int queue = 0; queue < QUEUE_COUNT; queue++) {
            queueDisabled(queue);
        }
        config.set(BalloonConfigLayout.ACTUAL_OFFSET, 0);
        actualCheck.agree(0);
        publishLedger();
    }

    private void returnToGuest(long pfn, long pages) {
        for (long done = 0; done < pages; done += PageRanges.MAX_RANGE_PAGES) {
            if (returned.count() == returned.capacity()) {
                tellReturned();
            }
            returned.add(pfn + done, (int) Math.min(pages - done, PageRanges.MAX_RANGE_PAGES));
        }
    }

    private void tellReturned() {
        if (returned.count() > 0) {
            reclaimer.reuse(returned);
            returned.clear();
        }
    }

    private void publishLedger() {
        actualCheck.ledgerAt(ledger.count());
        ledgerPages = ledger.count();
    }
}
