package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.spec.balloon.PageFrame;

import java.util.Arrays;

/**
 * Guest RAM that the driver itself needs, for rings and request buffers: whole blocks of the page
 * allocator, freed together.
 */
final class PinnedMemory {
    static final long NONE = -1;

    private static final int MAX_BLOCKS = 16;

    private final GuestPages pages;
    private final int[] pfns = new int[MAX_BLOCKS];
    private final int[] orders = new int[MAX_BLOCKS];
    private int count;

    PinnedMemory(GuestPages pages) {
        this.pages = pages;
    }

    /** Address of a block of at least {@code bytes} bytes, or {@link #NONE}. */
    long allocate(long bytes) {
        long frames = (bytes + PageFrame.BYTES - 1) >>> PageFrame.SHIFT;
        int order = Long.SIZE - Long.numberOfLeadingZeros(frames - 1);
        int pfn = order > pages.maxOrder() ? PageAllocator.NONE : pages.allocate(order);
        if (pfn == PageAllocator.NONE) {
            return NONE;
        }
        pfns[count] = pfn;
        orders[count] = order;
        count++;
        return (long) pfn << PageFrame.SHIFT;
    }

    /** Page frames in all blocks. */
    long frames() {
        return Arrays.stream(orders, 0, count).mapToLong(order -> 1L << order).sum();
    }

    void freeAll() {
        while (count > 0) {
            count--;
            pages.free(pfns[count], orders[count]);
        }
    }
}
