package io.aerostat.balloon.range;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Cuts the ranges that a guest named down to those that may be touched: RAM, region by region,
 * without the protected pages. Counts what falls away. For pages that come back from the guest RAM
 * is where it can be: they may come back to a region that was detached meanwhile.
 *
 * <pre>
 *   named       [===============================]        [====]
 *   RAM            [---region 0---][--region 1--]
 *   protected               [R]
 *   left           [=======]   [==][============]
 * </pre>
 */
public final class RamClip {
    private final GuestMemory memory;
    private final ProtectedPages protectedPages;
    private final boolean attachedAlone;
    private final PageRanges clipped;
    private long outsidePages;
    private long protectedCount;

    /** A clip to RAM that is there, for lists of at most {@code capacity} ranges. */
    public RamClip(GuestMemory memory, ProtectedPages protectedPages, int capacity) {
        this(memory, protectedPages, capacity, true);
    }

    private RamClip(
            GuestMemory memory,
            ProtectedPages protectedPages,
            int capacity,
            boolean attachedAlone) {
        this.memory = memory;
        this.attachedAlone = attachedAlone;
        this.protectedPages = protectedPages;
        // Ranges ascend and are apart, so that each edge between regions and each protected range
        // cuts one range at most.
        this.clipped = new PageRanges(capacity + memory.regionCount() + protectedPages.slots());
    }

    /** A clip to where RAM can be, attached or not. */
    public static RamClip toPlaces(
            GuestMemory memory, ProtectedPages protectedPages, int capacity) {
        return new RamClip(memory, protectedPages, capacity, false);
    }

    /**
     * Clips ascending ranges; {@link #clipped()} and the counts tell the result until the next
     * call.
     */
    public PageRanges clip(PageRanges named) {
        clipped.clear();
        outsidePages = 0;
        protectedCount = 0;
        for (int i = 0; i < named.count(); i++) {
            clipToRegions(named.pfn(i), named.pfn(i) + named.pages(i));
        }
        return clipped;
    }

    /** What {@link #clip} left. */
    public PageRanges clipped() {
        return clipped;
    }

    /** Pages that are not RAM. */
    public long outsidePages() {
        return outsidePages;
    }

    /** Pages that are protected. */
    public long protectedPages() {
        return protectedCount;
    }

    private void clipToRegions(long first, long end) {
        long named = end - first;
        long inside = 0;
        for (int i = firstRegionEndingAfter(first); i < memory.regionCount(); i++) {
            RamRegion region = memory.region(i);
            long from = Math.max(first, region.gpa() >>> PageFrame.SHIFT);
            long to = Math.min(end, region.end() >>> PageFrame.SHIFT);
            if (from >= to) {
                break;
            }
            if (region.isAttached() || !attachedAlone) {
                inside += to - from;
                addUnprotected(from, to);
            }
        }
        outsidePages += named - inside;
    }

    private int firstRegionEndingAfter(long pfn) {
        int index = 0;
        while (index < memory.regionCount()
                && memory.region(index).end() >>> PageFrame.SHIFT <= pfn) {
            index++;
        }
        return index;
    }

    private void addUnprotected(long first, long end) {
        long from = first;
        while (from < end) {
            long stop = protectedPages.nextProtected(from, end);
            if (stop > from) {
                clipped.add(from, (int) (stop - from));
            }
            from = protectedPages.endOfProtection(stop, end);
            protectedCount += from - stop;
        }
    }
}
