package io.aerostat.vmm.report;

import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.spec.balloon.PageFrame;

import java.util.BitSet;

/** Which guest pages the host has in memory, page by page as the kernel says. */
public final class ResidentPages {
    private final BitSet pages;

    private ResidentPages(BitSet pages) {
        this.pages = pages;
    }

    /** Asks the kernel about each page. */
    public static ResidentPages of(MemoryBackend backend) {
        BitSet pages = new BitSet();
        for (RamRegion region : backend.memory().regions()) {
            for (long gpa = region.gpa(); gpa < region.end(); gpa += PageFrame.BYTES) {
                boolean resident = backend.reclaimer().residentBytes(gpa, PageFrame.BYTES) > 0;
                pages.set((int) (gpa >>> PageFrame.SHIFT), resident);
            }
        }
        return new ResidentPages(pages);
    }

    /** Bytes of resident pages. */
    public long bytes() {
        return (long) pages.cardinality() << PageFrame.SHIFT;
    }

    /** Bytes of pages that are resident here and are not in {@code other}. */
    public long bytesNotIn(ResidentPages other) {
        BitSet difference = (BitSet) pages.clone();
        difference.andNot(other.pages);
        return (long) difference.cardinality() << PageFrame.SHIFT;
    }

    /** Bytes of pages that are resident here and belong to a set. */
    public long bytesIn(BitSet set) {
        BitSet common = (BitSet) pages.clone();
        common.and(set);
        return (long) common.cardinality() << PageFrame.SHIFT;
    }
}
