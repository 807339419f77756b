package io.aerostat.balloon;

import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Which pages are in the balloon, what of them the host really has back, and what a copy of the
 * guest's memory may leave out. The owner's, through {@link DeviceController#execute}.
 */
public final class BalloonedPages {
    private final GuestMemory memory;
    private final BalloonQueues queues;
    private final PageReclaimer reclaimer;

    BalloonedPages(GuestMemory memory, BalloonQueues queues, PageReclaimer reclaimer) {
        this.memory = memory;
        this.queues = queues;
        this.reclaimer = reclaimer;
    }

    /**
     * Bytes of ballooned pages that the host, asked now, does not have in memory: the part of the
     * balloon that has really been given back. Slow.
     *
     * @return bytes, or {@link PageReclaimer#UNKNOWN} if the host cannot tell
     */
    public long verifiedBytes() {
        long[] verified = {0};
        queues.ledger().forEachRange((pfn, pages) -> addVerified(verified, pfn, pages));
        return verified[0];
    }

    private void addVerified(long[] sum, long pfn, long pages) {
        long unit = reclaimer.granularityBytes();
        long first = ((pfn << PageFrame.SHIFT) + unit - 1) & -unit;
        long bytes = (((pfn + pages) << PageFrame.SHIFT) & -unit) - first;
        if (bytes <= 0) {
            return;
        }
        // Of RAM that was detached nothing is in memory.
        long resident = memory.contains(first, bytes) ? reclaimer.residentBytes(first, bytes) : 0;
        boolean known = resident != PageReclaimer.UNKNOWN && sum[0] != PageReclaimer.UNKNOWN;
        sum[0] = known ? sum[0] + bytes - resident : PageReclaimer.UNKNOWN;
    }

    /** Visits the pages in the balloon by ascending address. */
    public void forEachRange(PageLedger.RangeConsumer consumer) {
        queues.ledger().forEachRange(consumer);
    }

    /**
     * Visits the pages, by ascending address, that a copy of the guest's memory may leave out:
     * those hinted as free unless {@code written} has them, and those in the balloon, which hold
     * nothing for a driver that took MUST_TELL_HOST. To be asked when the guest has stopped and
     * {@code written} is complete.
     *
     * @param written all pages written, by the guest or by a device for it, since before {@link
     *     FreePageHinting#start} was called; over the same RAM
     */
    public void forEachSkippableRange(PageLedger written, PageLedger.RangeConsumer consumer) {
        PageLedger skippable = new PageLedger(memory);
        skippable.addAll(queues.hints().hinted());
        written.forEachRange(skippable::remove);
        // Otherwise a page is the guest's once its deflate request is available, served or not.
        if (queues.hostIsTold()) {
            skippable.addAll(queues.ledger());
        }
        skippable.forEachRange(consumer);
    }
}
