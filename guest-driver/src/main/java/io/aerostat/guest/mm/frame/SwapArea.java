package io.aerostat.guest.mm.frame;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * A disk for pages that had to leave RAM: numbered slots of a page each, outside guest RAM.
 *
 * <p>A slot takes 4 KiB of Java heap from its first use on, and keeps them. Slots are reused last
 * freed first, so the heap grows with the most that was swapped out at a time, up to all slots.
 */
public final class SwapArea {
    /** The answer of a full area. */
    public static final int NONE = -1;

    private static final int INTS = PageFrame.BYTES / Integer.BYTES;

    private final int[] @Nullable [] slots;
    private final int[] freeSlots;
    private int free;

    /**
     * An empty area.
     *
     * @param pages how many slots, 0 for no swap
     */
    public SwapArea(int pages) {
        slots = new int[pages][];
        freeSlots = new int[pages];
        free = pages;
        for (int i = 0; i < pages; i++) {
            freeSlots[i] = pages - 1 - i;
        }
    }

    /**
     * Writes a page out.
     *
     * @return its slot, or {@link #NONE} if the area is full
     */
    public int store(RamAccess page) {
        if (free == 0) {
            return NONE;
        }
        int slot = freeSlots[--free];
        int[] content = slots[slot];
        if (content == null) {
            content = new int[INTS];
            slots[slot] = content;
        }
        page.getInts(0, content, 0, INTS);
        return slot;
    }

    /** Reads a page in. Its slot stays used. */
    public void load(int slot, RamAccess page) {
        int[] content = slots[slot];
        if (content == null) {
            throw new IllegalArgumentException("nothing was stored there: slot=" + slot);
        }
        page.putInts(0, content, 0, INTS);
    }

    /** Gives a slot back. */
    public void release(int slot) {
        freeSlots[free++] = slot;
    }

    /** All slots. */
    public int totalPages() {
        return slots.length;
    }

    /** Slots that hold no page. */
    public int freePages() {
        return free;
    }

    /** Slots that hold a page. */
    public int usedPages() {
        return slots.length - free;
    }
}
