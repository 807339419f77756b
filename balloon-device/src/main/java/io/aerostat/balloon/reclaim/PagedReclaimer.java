package io.aerostat.balloon.reclaim;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamRegion;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Gives pages of Java arrays back to the heap: each that is wholly in the balloon becomes null, and
 * the garbage collector has it. What the process gives back to its operating system is then the
 * collector's business.
 *
 * <p>Works on every Java. Where pages of the array are larger than the guest's, the balloon puts
 * them together. Discarding belongs to the balloon's owner, as everything that touches the pages
 * does.
 *
 * <p>A processor that remembers the array behind an address, as for a faster look-up, must forget
 * it once the page is null, see {@link PagedArray}: it can be told when.
 */
public final class PagedReclaimer implements PageReclaimer {
    private final GuestMemory memory;
    private final int unitBytes;
    private final Runnable pagesGone;
    private final AtomicLong calls = new AtomicLong();

    /**
     * A reclaimer for all regions made from a {@link PagedArray}, those that are attached later
     * among them. Of others nothing is accepted, nor of one that comes later with larger pages than
     * all that are there now.
     *
     * @throws IllegalArgumentException if such a region does not start at a multiple of its pages
     */
    public PagedReclaimer(GuestMemory memory) {
        this(memory, () -> {});
    }

    /**
     * A reclaimer that says when pages have gone.
     *
     * @param pagesGone is run by the device's owner after pages were let go of, and before the
     *     guest is told so; must be quick
     */
    public PagedReclaimer(GuestMemory memory, Runnable pagesGone) {
        this.memory = memory;
        this.pagesGone = pagesGone;
        int largest = RamRegion.PAGE_BYTES;
        for (RamRegion region : memory.regions()) {
            PagedArray pages = pagesOf(region);
            if (pages != null && region.gpa() % pages.pageBytes() != 0) {
                throw new IllegalArgumentException(
                        "RAM must start at a multiple of its pages: region="
                                + (region + ", pageBytes=" + pages.pageBytes()));
            }
            largest = pages == null ? largest : Math.max(largest, pages.pageBytes());
        }
        this.unitBytes = largest;
    }

    private static @Nullable PagedArray pagesOf(RamRegion region) {
        return region.accessor() instanceof PagedArray pages ? pages : null;
    }

    /** The unit is a page of the array, the largest one if they differ. */
    @Override
    public int granularityBytes() {
        return unitBytes;
    }

    @Override
    public Content contentAfterDiscard() {
        return Content.ZERO;
    }

    /**
     * {@inheritDoc}
     *
     * <p>All bytes of a {@link PagedArray} are accepted, whether there was a page or not.
     */
    @Override
    public long discard(PageRanges ranges) {
        for (int i = 0; i < ranges.count(); i++) {
            requireUnits(ranges.gpa(i), ranges.bytes(i));
        }
        long accepted = 0;
        for (int i = 0; i < ranges.count(); i++) {
            PagedArray pages = pagesAt(ranges.gpa(i));
            if (pages != null) {
                pages.drop(offsetOf(ranges.gpa(i)), ranges.bytes(i));
                accepted += ranges.bytes(i);
                calls.incrementAndGet();
            }
        }
        if (accepted > 0) {
            pagesGone.run();
        }
        return accepted;
    }

    /** Does nothing: a page comes back at the first store. */
    @Override
    public void reuse(PageRanges ranges) {}

    /** Ranges that were let go of. */
    @Override
    public long discardCalls() {
        return calls.get();
    }

    @Override
    public long residentBytes(long gpa, long length) {
        requireUnits(gpa, length);
        PagedArray pages = pagesAt(gpa);
        return pages == null ? UNKNOWN : pages.residentBytes(offsetOf(gpa), length);
    }

    private void requireUnits(long gpa, long bytes) {
        int index = memory.regionIndexOf(gpa);
        boolean inRegion =
                index != GuestMemory.NOT_RAM
                        && memory.region(index).isAttached()
                        && bytes <= memory.region(index).end() - gpa;
        if (!inRegion || ((gpa | bytes) & (unitBytes - 1)) != 0) {
            throw new IllegalArgumentException(
                    "not whole pages of this RAM: gpa=0x"
                            + Long.toHexString(gpa)
                            + (", bytes=" + bytes + ", pageBytes=" + unitBytes));
        }
    }

    /** The pages at an address that is RAM; null if they are none, or cannot be told apart. */
    private @Nullable PagedArray pagesAt(long gpa) {
        RamRegion region = memory.region(memory.regionIndexOf(gpa));
        PagedArray pages = pagesOf(region);
        boolean fits =
                pages != null
                        && pages.pageBytes() <= unitBytes
                        && region.gpa() % pages.pageBytes() == 0;
        return fits ? pages : null;
    }

    private long offsetOf(long gpa) {
        return gpa - memory.region(memory.regionIndexOf(gpa)).gpa();
    }
}
