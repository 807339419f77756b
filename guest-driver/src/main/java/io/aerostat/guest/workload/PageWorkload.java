package io.aerostat.guest.workload;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.agrona.collections.IntArrayList;

import java.util.SplittableRandom;

/**
 * Owns guest pages with known contents. Each 8 bytes of a page follow from the seed, the page's
 * number and their place in it, so that a page which was lost, swapped with another or written by
 * anybody else is found.
 *
 * <p>Which pages are given back is drawn by chance from the seed, as the memory of a guest that has
 * run for a while is: in pieces. One thread's.
 */
public final class PageWorkload {
    private static final int LONGS_PER_PAGE = PageFrame.BYTES / Long.BYTES;
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private final PageAllocator pages;
    private final RamAccess ram;
    private final long seed;
    private final SplittableRandom random;
    private final IntArrayList owned = new IntArrayList();

    /** A workload that owns nothing yet. */
    public PageWorkload(GuestMemory memory, PageAllocator pages, long seed) {
        this.pages = pages;
        this.ram = new RamAccess(memory);
        // Spread out, so that the contents of near seeds have nothing in common.
        this.seed = new SplittableRandom(seed).nextLong();
        this.random = new SplittableRandom(seed);
    }

    /**
     * Takes pages one by one and writes them.
     *
     * @param wanted how many
     * @return how many there were
     */
    public long grow(long wanted) {
        long grown = 0;
        while (grown < wanted) {
            int pfn = pages.allocate(0);
            if (pfn == PageAllocator.NONE) {
                break;
            }
            write(pfn);
            owned.addInt(pfn);
            grown++;
        }
        return grown;
    }

    /**
     * Gives pages back, in runs of {@code runPages} that are drawn by chance.
     *
     * @param wanted how many
     * @return how many it owned and gave back
     */
    public long shrink(long wanted, int runPages) {
        if (runPages < 1) {
            throw new IllegalArgumentException("a run has a page: runPages=" + runPages);
        }
        long left = Math.max(0, Math.min(wanted, owned.size()));
        long given = left;
        while (left > 0) {
            int run = (int) Math.min(left, runPages);
            int first = random.nextInt(owned.size() - run + 1);
            for (int i = first + run - 1; i >= first; i--) {
                pages.free(owned.fastUnorderedRemove(i), 0);
            }
            left -= run;
        }
        return given;
    }

    /** Pages that it owns. */
    public long ownedPages() {
        return owned.size();
    }

    /** How many of its pages do not hold what was written to them. */
    public long corruptedPages() {
        long corrupted = 0;
        for (int i = 0; i < owned.size(); i++) {
            corrupted += isIntact(owned.getInt(i)) ? 0 : 1;
        }
        return corrupted;
    }

    private void write(int pfn) {
        map(pfn);
        for (int i = 0; i < LONGS_PER_PAGE; i++) {
            ram.putLong((long) i * Long.BYTES, content(pfn, i));
        }
    }

    private boolean isIntact(int pfn) {
        map(pfn);
        for (int i = 0; i < LONGS_PER_PAGE; i++) {
            if (ram.getLong((long) i * Long.BYTES) != content(pfn, i)) {
                return false;
            }
        }
        return true;
    }

    private void map(int pfn) {
        if (!ram.map((long) pfn << PageFrame.SHIFT, PageFrame.BYTES)) {
            throw new IllegalStateException(
                    "the allocator gave a page that is not RAM: pfn=" + pfn);
        }
    }

    // A bijective mix of seed and place: no two places of the RAM hold the same by design, and none
    // holds zeros but by chance.
    private long content(int pfn, int index) {
        long mixed = (seed + ((long) pfn * LONGS_PER_PAGE + index + 1)) * GOLDEN_GAMMA;
        return mixed ^ (mixed >>> 29);
    }
}
