package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameSource;
import io.aerostat.guest.mm.frame.FrameTable;
import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.LruList;
import io.aerostat.guest.mm.frame.PageContent;
import io.aerostat.guest.mm.frame.SwapArea;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.VmCounters;
import io.aerostat.virtio.memory.RamAccess;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * The pages of all processes, in RAM and in the swap area.
 *
 * <p>A page that is swapped in gives its slot up, so that every page has one place: no RAM is ever
 * a mere copy of the swap area.
 */
final class AnonymousPages {
    private final FrameTable frames;
    private final FrameSource source;
    private final VmCounters counters;
    private final LruList lru;
    private final SwapArea swap;

    /** The spaces by the number that their frames have as owner. */
    private final List<@Nullable AddressSpace> spaces = new ArrayList<>();

    AnonymousPages(
            FrameTable frames, FrameSource source, VmCounters counters, MemoryOptions options) {
        this.frames = frames;
        this.source = source;
        this.counters = counters;
        this.lru = new LruList(frames);
        this.swap = new SwapArea(options.swapPages());
    }

    /** Gives a new space its number: the lowest that is free. */
    void enter(AddressSpace space) {
        int number = spaces.indexOf(null);
        if (number < 0) {
            number = spaces.size();
            spaces.add(space);
        } else {
            spaces.set(number, space);
        }
        space.number(number);
    }

    /** Frees all that a space has, and its number. */
    void leave(AddressSpace space) {
        for (int page = 0; page < space.pages(); page++) {
            free(space, page);
        }
        spaces.set(space.number(), null);
    }

    /** The space with the most pages, in RAM or swapped out; null if none has any. */
    @Nullable AddressSpace largest() {
        AddressSpace largest = null;
        for (AddressSpace space : spaces) {
            if (space != null && space.anonymousPages() > 0) {
                if (largest == null || space.anonymousPages() > largest.anonymousPages()) {
                    largest = space;
                }
            }
        }
        return largest;
    }

    /** Makes a page of zeros in a frame that was taken for it. */
    void insertZeros(AddressSpace space, int page, int pfn) {
        PageContent.fill(frames.map(pfn), PageContent.ZEROS);
        insert(space, page, pfn);
    }

    /** Reads a swapped page into a frame that was taken for it, and gives its slot up. */
    void swapIn(AddressSpace space, int page, int pfn) {
        int slot = space.slotOf(page);
        swap.load(slot, frames.map(pfn));
        swap.release(slot);
        insert(space, page, pfn);
        counters.add(VmCounter.PSWPIN, 1);
    }

    private void insert(AddressSpace space, int page, int pfn) {
        frames.assign(pfn, FrameUse.ANONYMOUS, space.number(), page);
        // It is about to be used: unlike a page of a file, which may be read just once.
        frames.reference(pfn);
        lru.add(pfn);
        space.present(page, pfn);
    }

    /**
     * Swaps the oldest page out, unless it was accessed meanwhile. There must be a free slot.
     *
     * @return false if it was, and is the newest now
     */
    boolean swapOutOldest() {
        int pfn = lru.oldest();
        lru.remove(pfn);
        if (frames.testAndClearReferenced(pfn)) {
            lru.add(pfn);
            return false;
        }
        int slot = swap.store(frames.map(pfn));
        spaceOf(pfn).swapped(frames.index(pfn), slot);
        source.give(pfn, 0);
        counters.add(VmCounter.PSWPOUT, 1);
        return true;
    }

    /**
     * Frees a page, wherever it is.
     *
     * @return false if there was none
     */
    boolean free(AddressSpace space, int page) {
        if (space.isPresent(page)) {
            int pfn = space.frameOf(page);
            lru.remove(pfn);
            source.give(pfn, 0);
        } else if (space.isSwapped(page)) {
            swap.release(space.slotOf(page));
        } else {
            return false;
        }
        space.absent(page);
        return true;
    }

    /** Moves a page to another frame. */
    void move(int from, int to) {
        frames.copy(from, to);
        lru.replace(from, to);
        spaceOf(to).moved(frames.index(to), to);
    }

    private AddressSpace spaceOf(int pfn) {
        AddressSpace space = spaces.get(frames.owner(pfn));
        if (space == null) {
            throw new IllegalStateException("a frame has outlived its owner: pfn=" + pfn);
        }
        return space;
    }

    /** Notes that a page was accessed: for a cached page too. */
    void reference(int pfn) {
        frames.reference(pfn);
    }

    RamAccess map(int pfn) {
        return frames.map(pfn);
    }

    int size() {
        return lru.size();
    }

    /** How many of the pages in RAM the swap area has room for. */
    int swappablePages() {
        return Math.min(lru.size(), swap.freePages());
    }

    SwapArea swap() {
        return swap;
    }
}
