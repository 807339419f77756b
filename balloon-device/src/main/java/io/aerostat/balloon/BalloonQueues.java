package io.aerostat.balloon;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.BalloonCounters;
import io.aerostat.balloon.handler.Deflation;
import io.aerostat.balloon.handler.HintQueueHandler;
import io.aerostat.balloon.handler.Inflation;
import io.aerostat.balloon.handler.PfnQueueHandler;
import io.aerostat.balloon.handler.QueueHandler;
import io.aerostat.balloon.handler.ReportingQueueHandler;
import io.aerostat.balloon.handler.StatsQueueHandler;
import io.aerostat.balloon.range.HostPages;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.ProtectedPages;
import io.aerostat.balloon.range.RamClip;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.RestoredQueues;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.AvailableRingLayout;
import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.UsedRingLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * The balloon's five queues, and the pages that they move: which queue stands at which index, what
 * serves it, where its ring lies, and what is in the balloon.
 *
 * <p>The owner's, but {@link #at}.
 */
final class BalloonQueues {
    private static final BalloonQueue[] QUEUES = BalloonQueue.values();

    /** One more than the highest index that a queue may have. */
    static final int COUNT = QUEUES.length;

    /** A ring has three parts, each somewhere else. */
    private static final int PARTS_OF_RING = 3;

    /** Ranges that are told to be in use again at once when the device is reset. */
    private static final int RETURNED_RANGES = 1024;

    private final QueueNumbering numbering;
    private final long offered;
    private final PageReclaimer reclaimer;
    private final BalloonCounters counters;
    private final PageLedger ledger;
    private final ProtectedPages ringPages = new ProtectedPages(COUNT * PARTS_OF_RING);
    private final HostPages hostPages;
    private final PageRanges returned = new PageRanges(RETURNED_RANGES);

    private final PfnQueueHandler inflate;
    private final PfnQueueHandler deflate;
    private final StatsQueueHandler stats;
    private final HintQueueHandler hints;
    private final ReportingQueueHandler reports;

    private long negotiated;
    private long live;

    BalloonQueues(
            GuestMemory memory,
            PageReclaimer reclaimer,
            BalloonOptions options,
            long offered,
            BalloonCounters counters) {
        this.numbering = options.numbering();
        this.offered = offered;
        this.reclaimer = reclaimer;
        this.counters = counters;
        this.ledger = new PageLedger(memory);
        int budget = options.workBudget();
        RamClip clip = new RamClip(memory, ringPages, budget);
        int ranges = clip.clipped().capacity();
        int unit = reclaimer.granularityBytes();
        this.hostPages = new HostPages(memory, ledger, ringPages, unit, ranges);
        Inflation inflation = new Inflation(clip, ledger, hostPages, reclaimer, counters);
        RamClip places = RamClip.toPlaces(memory, ringPages, budget);
        Deflation deflation = new Deflation(places, ledger, hostPages, reclaimer, counters);
        this.inflate = new PfnQueueHandler(memory, inflation, counters, budget);
        this.deflate = new PfnQueueHandler(memory, deflation, counters, budget);
        this.stats = new StatsQueueHandler(memory, counters);
        this.hints = new HintQueueHandler(memory, clip, counters, budget);
        this.reports =
                new ReportingQueueHandler(clip, ledger, hostPages, reclaimer, counters, budget);
    }

    // where they stand

    /** The queue at an index under these features, or null. Any thread. */
    @Nullable BalloonQueue at(int index, long features) {
        for (BalloonQueue queue : QUEUES) {
            if (numbering.indexOf(queue, offered, features) == index) {
                return queue;
            }
        }
        return null;
    }

    /** The queue at an index that is live. */
    BalloonQueue liveAt(int index) {
        BalloonQueue queue = at(index, negotiated);
        if (queue == null) {
            throw new IllegalStateException("no such queue is live: index=" + index);
        }
        return queue;
    }

    /** Where a live queue stands; {@link QueueNumbering#ABSENT} if it is not live. */
    int indexOf(BalloonQueue queue) {
        int index = numbering.indexOf(queue, offered, negotiated);
        boolean isLive = index != QueueNumbering.ABSENT && (live >>> index & 1) != 0;
        return isLive ? index : QueueNumbering.ABSENT;
    }

    // up and down

    /** The driver is up, with these features. */
    void activate(long features, int poison) {
        negotiated = features;
        hostPages.acrossRequests((features & BalloonFeature.MUST_TELL_HOST) != 0);
        poison(poison);
    }

    /** What the driver says that its free pages hold. */
    void poison(int poison) {
        reports.poison((negotiated & BalloonFeature.PAGE_POISON) != 0, poison);
    }

    /** Tells whether no part of a ring is in the balloon. */
    boolean mayBeAt(QueueAddresses addresses) {
        int size = addresses.size();
        return isWithGuest(addresses.descriptorTable(), DescriptorLayout.offset(size))
                && isWithGuest(addresses.availableRing(), AvailableRingLayout.length(size))
                && isWithGuest(addresses.usedRing(), UsedRingLayout.length(size));
    }

    private boolean isWithGuest(long gpa, long bytes) {
        long last = (gpa + bytes - 1) >>> PageFrame.SHIFT;
        for (long pfn = gpa >>> PageFrame.SHIFT; pfn <= last; pfn++) {
            if (ledger.contains(pfn)) {
                return false;
            }
        }
        return true;
    }

    void enabled(int index, QueueAddresses addresses) {
        int slot = index * PARTS_OF_RING;
        int size = addresses.size();
        ringPages.protect(slot, addresses.descriptorTable(), DescriptorLayout.offset(size));
        ringPages.protect(slot + 1, addresses.availableRing(), AvailableRingLayout.length(size));
        ringPages.protect(slot + 2, addresses.usedRing(), UsedRingLayout.length(size));
        live |= 1L << index;
    }

    void disabled(int index) {
        for (int part = 0; part < PARTS_OF_RING; part++) {
            ringPages.release(index * PARTS_OF_RING + part);
        }
        live &= ~(1L << index);
        BalloonQueue queue = at(index, negotiated);
        if (queue != null) {
            handler(queue).reset();
        }
    }

    /** All queues are gone, and every page goes back to the guest. */
    void reset() {
        tellAllReturned();
        counters.add(BalloonCounter.PAGES_RETURNED_BY_RESET, ledger.count());
        ledger.clear();
        hostPages.clear();
        for (int index = 0; index < COUNT; index++) {
            disabled(index);
        }
        negotiated = 0;
    }

    /** Tells the reclaimer that the guest may use every page of the balloon again. */
    void tellAllReturned() {
        ledger.forEachRange(this::returnToGuest);
        tellReturned();
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

    // what serves them

    /** Does one bounded pass over a live queue, see {@link VirtioDevice#service}. */
    int service(BalloonQueue queue, int index, DeviceQueue ring, Interrupts interrupts) {
        ring.disarm();
        int outcome = handler(queue).serve(ring);
        // A used buffer tells the driver "done", so it is shown when all is done.
        if (ring.publish()) {
            interrupts.usedBuffer(index);
        }
        boolean more = outcome == VirtioDevice.IDLE && ring.armAndRecheck();
        return more ? VirtioDevice.MORE : outcome;
    }

    private QueueHandler handler(BalloonQueue queue) {
        return switch (queue) {
            case INFLATE -> inflate;
            case DEFLATE -> deflate;
            case STATS -> stats;
            case FREE_PAGE_HINT -> hints;
            case REPORTING -> reports;
        };
    }

    PfnQueueHandler deflate() {
        return deflate;
    }

    StatsQueueHandler stats() {
        return stats;
    }

    HintQueueHandler hints() {
        return hints;
    }

    // what they moved

    /** Tells whether the driver tells the host before it uses a page again. */
    boolean hostIsTold() {
        return (negotiated & BalloonFeature.MUST_TELL_HOST) != 0;
    }

    /** What is in the balloon. */
    PageLedger ledger() {
        return ledger;
    }

    /** Which host pages are wholly in it. */
    HostPages hostPages() {
        return hostPages;
    }

    // save and restore

    void save(SnapshotWriter out) {
        ledger.save(out);
        hostPages.save(out);
        for (BalloonQueue queue : QUEUES) {
            handler(queue).save(out);
        }
    }

    /**
     * Reads what {@link #save} wrote, and changes nothing.
     *
     * @param queues what is going to be live
     * @return makes all handlers, and what is in the balloon, as they were saved
     */
    Runnable prepareRestore(SnapshotReader in, RestoredQueues queues) throws SnapshotException {
        List<Runnable> steps = new ArrayList<>();
        steps.add(ledger.prepareRestore(in));
        steps.add(hostPages.prepareRestore(in));
        for (BalloonQueue queue : QUEUES) {
            int index = numbering.indexOf(queue, offered, queues.features());
            steps.add(handler(queue).prepareRestore(in, queues.ring(index)));
        }
        return () -> steps.forEach(Runnable::run);
    }
}
