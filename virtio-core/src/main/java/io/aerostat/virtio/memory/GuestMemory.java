package io.aerostat.virtio.memory;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The guest's RAM: a sorted table of regions that do not overlap, and nothing but RAM. No address
 * in it can mean a register.
 *
 * <p>Addresses come from the guest: every question is answered for any 64-bit value, without
 * overflow. A range may span regions that are adjacent for the guest, wherever their bytes are.
 *
 * <p>Where RAM can be is settled when the table is made, see {@link RamRegion#absent}. What is
 * there may come and go: {@link #attach} and {@link #detach}, between the passes of all devices
 * that use the table. Any thread may ask at any time where RAM can be.
 */
public final class GuestMemory {
    /** What {@link #regionIndexOf} answers for an address that is not RAM. */
    public static final int NOT_RAM = -1;

    private final RamRegion[] regions;
    private final long[] starts;
    private final long bytes;

    private final AtomicInteger changes = new AtomicInteger();

    private GuestMemory(RamRegion[] regions) {
        this.regions = regions;
        this.starts = new long[regions.length];
        long sum = 0;
        for (int i = 0; i < regions.length; i++) {
            starts[i] = regions[i].gpa();
            sum = Math.addExact(sum, regions[i].length());
        }
        this.bytes = sum;
    }

    /**
     * Makes the table of the given regions, in any order.
     *
     * @throws IllegalArgumentException if there is none, or two overlap
     */
    public static GuestMemory of(RamRegion... regions) {
        if (regions.length == 0) {
            throw new IllegalArgumentException("guest memory needs at least one region");
        }
        RamRegion[] sorted = regions.clone();
        Arrays.sort(sorted, Comparator.comparingLong(RamRegion::gpa));
        for (int i = 1; i < sorted.length; i++) {
            if (sorted[i - 1].end() > sorted[i].gpa()) {
                throw new IllegalArgumentException(
                        "RAM regions overlap: " + sorted[i - 1] + ", " + sorted[i]);
            }
        }
        return new GuestMemory(sorted);
    }

    /** The regions by ascending guest address. */
    public List<RamRegion> regions() {
        return List.of(regions);
    }

    /** How many regions there are. */
    public int regionCount() {
        return regions.length;
    }

    /** Region {@code index} by ascending guest address. */
    public RamRegion region(int index) {
        return regions[index];
    }

    /** Bytes of all regions, whether RAM is attached there or not. */
    public long bytes() {
        return bytes;
    }

    /**
     * Index of the region that holds {@code gpa}, or {@link #NOT_RAM} if RAM cannot be there; that
     * it is there {@link RamRegion#isAttached} tells.
     */
    public int regionIndexOf(long gpa) {
        int low = 0;
        int high = starts.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (starts[middle] <= gpa) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        // high is now the last region that starts at or below gpa, or -1; a "negative" gpa is above
        // 2^63 and finds none.
        return high >= 0 && gpa - starts[high] < regions[high].length() ? high : NOT_RAM;
    }

    /**
     * How many of the {@code length} bytes from {@code gpa} are RAM before the first that is not:
     * {@code length} if all are. Regions that are adjacent for the guest count as one.
     */
    public long contiguousFrom(long gpa, long length) {
        int index = regionIndexOf(gpa);
        long found = 0;
        while (index != NOT_RAM && found < length && regions[index].isAttached()) {
            long start = gpa + found;
            found += Math.min(length - found, regions[index].end() - start);
            index++;
            if (index == regions.length || starts[index] != regions[index - 1].end()) {
                break;
            }
        }
        return found;
    }

    /**
     * Tells whether all of the {@code length} bytes from {@code gpa} are RAM; false for a negative
     * length.
     */
    public boolean contains(long gpa, long length) {
        int index = regionIndexOf(gpa);
        if (index == NOT_RAM || length < 0 || !regions[index].isAttached()) {
            return false;
        }
        return length <= regions[index].end() - gpa || contiguousFrom(gpa, length) == length;
    }

    /**
     * Tells whether RAM can be at all of the {@code length} bytes from {@code gpa}, whether it is
     * there or not; false for a negative length.
     */
    public boolean hasPlaceFor(long gpa, long length) {
        long done = 0;
        while (done < length) {
            int index = regionIndexOf(gpa + done);
            if (index == NOT_RAM) {
                return false;
            }
            done = regions[index].end() - gpa;
        }
        return length >= 0;
    }

    /**
     * Puts RAM where a region is absent. Only between the passes of every device that uses this
     * table, see {@code MmioDevice.attach}.
     *
     * @param region has bytes; guest address and length are those of an absent one
     * @throws IllegalArgumentException if it does not, or there is no such place
     * @throws IllegalStateException if RAM is there already
     */
    public void attach(RamRegion region) {
        int index = placeOf(region);
        if (!region.isAttached()) {
            throw new IllegalArgumentException("no bytes to attach: region=" + region);
        }
        if (regions[index].isAttached()) {
            throw new IllegalStateException("RAM is there already: region=" + regions[index]);
        }
        regions[index] = region;
        changes.incrementAndGet();
    }

    /**
     * Takes RAM away: from here on no window reaches its bytes, and they may be unmapped. What the
     * guest had placed in it is a fault of the guest's ring, as if it never had been RAM. Only
     * between the passes of every device that uses this table, see {@code MmioDevice.detach}.
     *
     * <p>The region is spent: to put the same memory there again, attach a new one. A second time
     * does nothing.
     *
     * @param region one of {@link #regions}
     * @throws IllegalArgumentException if it is none of them
     */
    public void detach(RamRegion region) {
        int index = placeOf(region);
        if (!regions[index].equals(region)) {
            throw new IllegalArgumentException("not RAM of this guest: region=" + region);
        }
        region.detach();
        changes.incrementAndGet();
    }

    private int placeOf(RamRegion region) {
        int index = regionIndexOf(region.gpa());
        if (index == NOT_RAM
                || starts[index] != region.gpa()
                || regions[index].length() != region.length()) {
            throw new IllegalArgumentException(
                    "places of RAM are settled when the table is made, and there is none for this"
                            + (": region=" + region + ", places=" + regions()));
        }
        return index;
    }

    /** How often RAM was attached or detached: another number, and whoever looked looks again. */
    public int changes() {
        return changes.get();
    }
}
