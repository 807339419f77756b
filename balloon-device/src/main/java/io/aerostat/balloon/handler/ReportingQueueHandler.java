package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.HostPages;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.PfnBatch;
import io.aerostat.balloon.range.RamClip;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * Serves the free page reporting queue (VIRTIO 1.4, 5.5.6.7): the elements of a report are free
 * memory itself, which the guest does not use until the report is returned. It is given back to the
 * host before that, and never later.
 *
 * <p>A pass is bounded in pages, and may stop in the middle of an element. Only whole host pages
 * inside what was reported are given back; a live ring, which no free page holds, is spared.
 *
 * <p>If the driver took PAGE_POISON, reported pages must hold {@code poison_val} afterwards
 * (5.5.6.7.2): then they are given back only if the value is 0 and the host leaves zeros, or if it
 * leaves them unchanged.
 *
 * <p>The owner's; allocates nothing after construction.
 */
public final class ReportingQueueHandler implements QueueHandler {
    private final RamClip clip;
    private final PageLedger ledger;
    private final HostPages hostPages;
    private final PageReclaimer reclaimer;
    private final BalloonCounters counters;
    private final PfnBatch batch;
    private final int workBudget;

    private boolean inReport;
    private boolean discards = true;

    // What is left of the element in work, in whole pages: [nextPfn, endPfn).
    private long nextPfn;
    private long endPfn;

    /**
     * @param ledger what is in the balloon, and so cannot be free
     * @param workBudget pages of one pass; one host page more, if they are large
     */
    public ReportingQueueHandler(
            RamClip clip,
            PageLedger ledger,
            HostPages hostPages,
            PageReclaimer reclaimer,
            BalloonCounters counters,
            int workBudget) {
        this.clip = clip;
        this.ledger = ledger;
        this.hostPages = hostPages;
        this.reclaimer = reclaimer;
        this.counters = counters;
        this.batch = new PfnBatch(workBudget);
        this.workBudget = workBudget;
    }

    /**
     * What free pages hold.
     *
     * @param poisoned whether the driver took PAGE_POISON
     * @param poison its value then
     */
    public void poison(boolean poisoned, int poison) {
        discards =
                !poisoned
                        || switch (reclaimer.contentAfterDiscard()) {
                            case ZERO -> poison == 0;
                            case UNCHANGED -> true;
                            case UNDEFINED -> false;
                        };
    }

    @Override
    public void reset() {
        inReport = false;
        nextPfn = 0;
        endPfn = 0;
        batch.clear();
    }

    @Override
    public int serve(DeviceQueue ring) {
        int outcome = drain(ring);
        applyBatch();
        return outcome;
    }

    @Override
    public void save(SnapshotWriter out) {
        out.writeBoolean(inReport);
        if (inReport) {
            out.writeLong(nextPfn);
            out.writeLong(endPfn);
        }
    }

    @Override
    public Runnable prepareRestore(SnapshotReader in, @Nullable DeviceQueue ring)
            throws SnapshotException {
        if (!QueueHandler.readInBuffer(in, ring) || ring == null) {
            return this::reset;
        }
        long savedNext = in.readLong("nextPfn");
        long savedEnd = in.readLong("endPfn");
        // With nothing left of an element its bounds mean nothing.
        if (savedNext < savedEnd && !isInElement(savedNext, savedEnd, ring.chain())) {
            throw SnapshotException.impossible("nextPfn", savedNext);
        }
        return () -> {
            reset();
            inReport = true;
            nextPfn = savedNext;
            endPfn = savedEnd;
        };
    }

    private static boolean isInElement(long first, long end, ChainCursor chain) {
        long limit = (chain.gpa() + chain.length()) >>> PageFrame.SHIFT;
        return chain.isWritable()
                && first >= (chain.gpa() + PageFrame.BYTES - 1) >>> PageFrame.SHIFT
                && end <= limit;
    }

    private int drain(DeviceQueue ring) {
        int budget = workBudget;
        while (budget > 0) {
            if (!inReport) {
                int polled = ring.poll();
                if (polled != DeviceQueue.CHAIN) {
                    return polled == DeviceQueue.NONE ? VirtioDevice.IDLE : VirtioDevice.FAULT;
                }
                inReport = true;
            }
            if (nextPfn < endPfn) {
                budget -= takePages(budget);
                continue;
            }
            // An element costs something even if there is no page in it.
            budget--;
            int step = ring.chain().next();
            if (step == ChainCursor.FAULT) {
                return VirtioDevice.FAULT;
            }
            if (step == ChainCursor.END) {
                ring.complete(ring.chain().head(), 0);
                inReport = false;
                counters.add(BalloonCounter.REPORTS, 1);
            } else {
                takeElement(ring.chain());
            }
        }
        return VirtioDevice.MORE;
    }

    private void takeElement(ChainCursor chain) {
        if (!chain.isWritable()) {
            counters.add(BalloonCounter.MALFORMED_REPORTS, 1);
            return;
        }
        long end = chain.gpa() + chain.length();
        nextPfn = (chain.gpa() + PageFrame.BYTES - 1) >>> PageFrame.SHIFT;
        endPfn = end >>> PageFrame.SHIFT;
        long whole = Math.max(0, endPfn - nextPfn) << PageFrame.SHIFT;
        boolean aligned = whole == chain.length();
        counters.add(BalloonCounter.MALFORMED_REPORTS, aligned ? 0 : 1);
        counters.add(BalloonCounter.BYTES_REPORTED, chain.length());
        counters.add(BalloonCounter.REPORTED_BYTES_SPARED, chain.length() - whole);
    }

    /** Takes the next pages of the element, cut between host pages. Returns how many. */
    private int takePages(int budget) {
        int unit = hostPages.unitPages();
        long cut = (nextPfn + budget) & -unit;
        if (cut <= nextPfn) {
            cut = (nextPfn & -unit) + unit;
        }
        int pages = (int) (Math.min(cut, endPfn) - nextPfn);
        if (batch.room() == 0) {
            applyBatch();
        }
        batch.addRange(nextPfn, pages);
        nextPfn += pages;
        return pages;
    }

    private void applyBatch() {
        if (batch.isEmpty()) {
            return;
        }
        long repeated = batch.merge();
        PageRanges free = clip.clip(batch.ranges());
        for (int i = 0; i < free.count(); i++) {
            counters.add(
                    BalloonCounter.BALLOONED_PAGES_REPORTED,
                    ledger.count(free.pfn(i), free.pages(i)));
        }
        counters.add(BalloonCounter.PAGES_OF_LIVE_RING, clip.protectedPages());
        long taken = free.bytes() + ((clip.protectedPages() + repeated) << PageFrame.SHIFT);
        PageRanges whole = hostPages.inside(free);
        long given = discards ? whole.bytes() : 0;
        if (given > 0) {
            counters.add(BalloonCounter.BYTES_ASKED, given);
            counters.add(BalloonCounter.BYTES_ACCEPTED, reclaimer.discard(whole));
        }
        counters.add(BalloonCounter.REPORTED_BYTES_SPARED, taken - given);
        batch.clear();
    }
}
