package io.aerostat.balloon.range;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.balloon.PageFrame;

import java.util.Arrays;

/**
 * Which pages of the guest's RAM are in the balloon: one bit a page, in the host's memory, out of
 * the guest's reach.
 *
 * <p>Bits are numbered over RAM alone, region after region, so that holes in the guest's address
 * space cost nothing. Ranges given here lie in one region each. Whole words are set and cleared at
 * once. One thread's.
 */
public final class PageLedger {
    /** Takes a range of pages out of the ledger. */
    @FunctionalInterface
    public interface RangeConsumer {
        /** A range of ballooned pages within one region, as long as possible. */
        void accept(long pfn, long pages);
    }

    private final GuestMemory memory;
    private final long[] words;
    private final long bits;

    /** Number of each region's first bit. */
    private final long[] firstBits;

    private long count;

    /** A ledger of no pages for the given RAM. */
    public PageLedger(GuestMemory memory) {
        this.memory = memory;
        this.firstBits = new long[memory.regionCount()];
        long next = 0;
        for (int i = 0; i < firstBits.length; i++) {
            firstBits[i] = next;
            next += memory.region(i).length() >>> PageFrame.SHIFT;
        }
        bits = next;
        words = new long[Math.toIntExact((bits + Long.SIZE - 1) / Long.SIZE)];
    }

    /** Pages in the balloon. */
    public long count() {
        return count;
    }

    /**
     * Tells whether a page is in the balloon; false for one that is not RAM. The one question that
     * another thread than the owner may ask: it then learns what was so at some moment.
     */
    public boolean contains(long pfn) {
        int region = memory.regionIndexOf(pfn << PageFrame.SHIFT);
        if (region == GuestMemory.NOT_RAM) {
            return false;
        }
        long bit = bitOf(region, pfn);
        return (words[(int) (bit / Long.SIZE)] >>> bit & 1) != 0;
    }

    /** Tells whether all pages of a range are in the balloon; false unless it is in one region. */
    public boolean containsAll(long pfn, long pages) {
        return count(pfn, pages) == pages;
    }

    /** How many pages of a range are in the balloon; 0 unless it is in one region. */
    public long count(long pfn, long pages) {
        int region = regionOf(pfn, pages);
        if (region == GuestMemory.NOT_RAM) {
            return 0;
        }
        long bit = bitOf(region, pfn);
        long end = bit + pages;
        long sum = 0;
        while (bit < end) {
            int word = (int) (bit / Long.SIZE);
            long wordEnd = Math.min(end, (word + 1L) * Long.SIZE);
            sum += Long.bitCount(words[word] & mask(bit, wordEnd));
            bit = wordEnd;
        }
        return sum;
    }

    /** Puts in all pages that another ledger of the same RAM has. */
    public void addAll(PageLedger other) {
        count = 0;
        for (int word = 0; word < words.length; word++) {
            words[word] |= other.words[word];
            count += Long.bitCount(words[word]);
        }
    }

    /**
     * Puts pages in.
     *
     * @param pfn first page of a range within one region
     * @param pages how many
     * @return how many of them were not in before
     */
    public long add(long pfn, long pages) {
        long added = update(pfn, pages, true);
        count += added;
        return added;
    }

    /**
     * Takes pages out.
     *
     * @param pfn first page of a range within one region
     * @param pages how many
     * @return how many of them were in
     */
    public long remove(long pfn, long pages) {
        long removed = update(pfn, pages, false);
        count -= removed;
        return removed;
    }

    private long update(long pfn, long pages, boolean value) {
        int region = regionOf(pfn, pages);
        if (region == GuestMemory.NOT_RAM) {
            throw new IllegalArgumentException(
                    "not in one RAM region: pfn=" + pfn + ", pages=" + pages);
        }
        long bit = bitOf(region, pfn);
        long end = bit + pages;
        long changed = 0;
        while (bit < end) {
            int word = (int) (bit / Long.SIZE);
            long wordEnd = Math.min(end, (word + 1L) * Long.SIZE);
            long mask = mask(bit, wordEnd);
            long old = words[word];
            long flipped = value ? mask & ~old : mask & old;
            words[word] = old ^ flipped;
            changed += Long.bitCount(flipped);
            bit = wordEnd;
        }
        return changed;
    }

    /** Takes all pages out. */
    public void clear() {
        Arrays.fill(words, 0);
        count = 0;
    }

    /** Visits all pages in the balloon by ascending address. */
    public void forEachRange(RangeConsumer consumer) {
        for (int i = 0; i < firstBits.length; i++) {
            RamRegion region = memory.region(i);
            long firstPfn = region.gpa() >>> PageFrame.SHIFT;
            long end = firstBits[i] + (region.length() >>> PageFrame.SHIFT);
            long bit = next(firstBits[i], end, true);
            while (bit < end) {
                long gap = next(bit, end, false);
                consumer.accept(firstPfn + bit - firstBits[i], gap - bit);
                bit = next(gap, end, true);
            }
        }
    }

    /** The first bit from {@code from} that has the wanted value, or {@code end}. */
    private long next(long from, long end, boolean wanted) {
        long bit = from;
        while (bit < end) {
            long word = words[(int) (bit / Long.SIZE)];
            long rest = (wanted ? word : ~word) >>> bit;
            if (rest != 0) {
                return Math.min(end, bit + Long.numberOfTrailingZeros(rest));
            }
            bit = (bit / Long.SIZE + 1) * Long.SIZE;
        }
        return end;
    }

    /** The region that holds all of a range, or NOT_RAM. */
    private int regionOf(long pfn, long pages) {
        int region = memory.regionIndexOf(pfn << PageFrame.SHIFT);
        boolean inside =
                region != GuestMemory.NOT_RAM
                        && (pfn + pages) << PageFrame.SHIFT <= memory.region(region).end();
        return inside ? region : GuestMemory.NOT_RAM;
    }

    /** Bits [from, end) of one word. */
    private static long mask(long from, long end) {
        return (-1L >>> (Long.SIZE - (end - from))) << from;
    }

    /** Writes which pages are in, as a bitmap over RAM. */
    public void save(SnapshotWriter out) {
        for (long word : words) {
            out.writeLong(word);
        }
    }

    /**
     * Reads what {@link #save} of a ledger of the same RAM wrote, and changes nothing.
     *
     * @return makes this ledger like the saved one
     */
    public Runnable prepareRestore(SnapshotReader in) throws SnapshotException {
        long[] saved = new long[words.length];
        long pages = 0;
        for (int word = 0; word < saved.length; word++) {
            saved[word] = in.readLong("ledger");
            pages += Long.bitCount(saved[word]);
        }
        int spare = (int) (words.length * (long) Long.SIZE - bits);
        if (spare > 0 && saved[saved.length - 1] >>> (Long.SIZE - spare) != 0) {
            throw SnapshotException.impossible("ledger", saved[saved.length - 1]);
        }
        long total = pages;
        return () -> {
            System.arraycopy(saved, 0, words, 0, saved.length);
            count = total;
        };
    }

    private long bitOf(int region, long pfn) {
        return firstBits[region] + pfn - (memory.region(region).gpa() >>> PageFrame.SHIFT);
    }
}
