package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.guest.page.ReportablePages;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.OptionalInt;

/**
 * The guest's page allocator as the driver uses it: pages go back in the state in which the guest
 * wants its free pages to be. If it fills them, the driver does so in its place (VIRTIO 1.4,
 * 5.5.6.6.1); if not, it leaves them alone.
 */
final class GuestPages {
    private final PageAllocator pages;
    private final @Nullable ReportablePages reportable;
    private final boolean fills;
    private final RamAccess block;
    private boolean abandons;
    private long abandonedPages;
    private final int[] pattern = new int[PageFrame.BYTES / Integer.BYTES];

    GuestPages(GuestMemory memory, PageAllocator pages, OptionalInt fill) {
        this.pages = pages;
        this.reportable = pages instanceof ReportablePages reporting ? reporting : null;
        this.fills = fill.isPresent();
        this.block = new RamAccess(memory);
        Arrays.fill(pattern, fill.orElse(0));
    }

    /** As {@link PageAllocator#allocate}. */
    int allocate(int order) {
        return pages.allocate(order);
    }

    /**
     * Whether blocks that come back are let go of for good: the device that had them never said
     * that it has forgotten them, and might still write to them.
     */
    void abandoning(boolean abandons) {
        this.abandons = abandons;
    }

    /** Pages that were let go of for good. */
    long abandonedPages() {
        return abandonedPages;
    }

    /** Gives a block back, filled if the guest fills its free pages. */
    void free(int pfn, int order) {
        if (abandons) {
            abandonedPages += 1L << order;
            return;
        }
        if (fills) {
            fill(pfn, order);
        }
        pages.free(pfn, order);
    }

    /** Gives a block back whose content is that of a free page already. */
    void freeAsIs(int pfn, int order) {
        if (abandons) {
            abandonedPages += 1L << order;
            return;
        }
        pages.free(pfn, order);
    }

    /** Writes every byte of a block: with the guest's fill value, or with 0 if it has none. */
    void fill(int pfn, int order) {
        long bytes = (long) PageFrame.BYTES << order;
        if (!block.map((long) pfn << PageFrame.SHIFT, bytes)) {
            throw new IllegalStateException(
                    "the allocator has page frames that are no RAM: pfn="
                            + pfn
                            + ", order="
                            + order);
        }
        for (long offset = 0; offset < bytes; offset += PageFrame.BYTES) {
            block.putInts(offset, pattern, 0, pattern.length);
        }
    }

    /** Whether the guest fills its free pages. */
    boolean fills() {
        return fills;
    }

    int largestFreeOrder() {
        return pages.largestFreeOrder();
    }

    int maxOrder() {
        return pages.maxOrder();
    }

    long freePages() {
        return pages.freePages();
    }

    long totalPages() {
        return pages.totalPages();
    }

    /** The allocator with its marks of what was reported, or null if it keeps none. */
    @Nullable ReportablePages reportable() {
        return reportable;
    }
}
