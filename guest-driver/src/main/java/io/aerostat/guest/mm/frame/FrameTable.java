package io.aerostat.guest.mm.frame;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.balloon.PageFrame;

import java.util.Arrays;

/**
 * One entry for each page frame between the lowest and the highest guest address: use, owner, place
 * within the owner, a referenced bit, and the links of one list. Linux calls it the memory map.
 *
 * <p>18 bytes of Java heap a frame, so 0.44 % of guest RAM. Nothing is allocated after
 * construction. What owner and index mean is the matter of whoever assigns the frame.
 */
public final class FrameTable {
    /** The link that leads nowhere. */
    static final int NONE = -1;

    private static final FrameUse[] USES = FrameUse.values();

    private final int firstPfn;
    private final byte[] uses;
    private final boolean[] referenced;
    private final int[] owners;
    private final int[] indexes;
    private final int[] older;
    private final int[] newer;
    private final long[] counts = new long[USES.length];
    private final RamAccess ram;
    private final int[] copy = new int[PageFrame.BYTES / Integer.BYTES];

    /**
     * A table in which all frames are reserved.
     *
     * @param memory the guest's RAM, below 8 TiB
     */
    public FrameTable(GuestMemory memory) {
        long end = memory.region(memory.regionCount() - 1).end();
        firstPfn = Math.toIntExact(memory.region(0).gpa() >>> PageFrame.SHIFT);
        int frames = Math.toIntExact((end >>> PageFrame.SHIFT) - firstPfn);
        uses = new byte[frames];
        referenced = new boolean[frames];
        owners = new int[frames];
        indexes = new int[frames];
        older = new int[frames];
        newer = new int[frames];
        Arrays.fill(older, NONE);
        Arrays.fill(newer, NONE);
        counts[FrameUse.RESERVED.ordinal()] = frames;
        ram = new RamAccess(memory);
    }

    /** The lowest PFN of the table. */
    public int firstPfn() {
        return firstPfn;
    }

    /** The PFN behind the highest. */
    public int endPfn() {
        return firstPfn + uses.length;
    }

    /** Tells whether a PFN has an entry. */
    public boolean contains(int pfn) {
        return pfn >= firstPfn && pfn < endPfn();
    }

    /** What a frame is used for. */
    public FrameUse use(int pfn) {
        return USES[uses[pfn - firstPfn]];
    }

    /** Whose it is. */
    public int owner(int pfn) {
        return owners[pfn - firstPfn];
    }

    /** Which of the owner's pages it holds. */
    public int index(int pfn) {
        return indexes[pfn - firstPfn];
    }

    /** Gives a frame a use that has no owner. */
    public void assign(int pfn, FrameUse use) {
        assign(pfn, use, 0, 0);
    }

    /** Gives a frame a use and an owner. The referenced bit is off then. */
    public void assign(int pfn, FrameUse use, int owner, int index) {
        int frame = pfn - firstPfn;
        counts[uses[frame]]--;
        counts[use.ordinal()]++;
        uses[frame] = (byte) use.ordinal();
        referenced[frame] = false;
        owners[frame] = owner;
        indexes[frame] = index;
    }

    /** How many frames have a use; holes in the RAM count as RESERVED. */
    public long count(FrameUse use) {
        return counts[use.ordinal()];
    }

    /** Notes that a frame was accessed. */
    public void reference(int pfn) {
        referenced[pfn - firstPfn] = true;
    }

    /** Tells whether a frame was accessed since the last such question, and forgets it. */
    public boolean testAndClearReferenced(int pfn) {
        boolean was = referenced[pfn - firstPfn];
        referenced[pfn - firstPfn] = false;
        return was;
    }

    /**
     * The frame's bytes: a window that is good until the next call.
     *
     * @throws IllegalStateException if the frame is not RAM
     */
    public RamAccess map(int pfn) {
        if (!ram.map((long) pfn << PageFrame.SHIFT, PageFrame.BYTES)) {
            throw new IllegalStateException("the page frame is not RAM: pfn=" + pfn);
        }
        return ram;
    }

    /** Copies a frame's use, owner, index, referenced bit and bytes to another frame. */
    public void copy(int from, int to) {
        map(from).getInts(0, copy, 0, copy.length);
        map(to).putInts(0, copy, 0, copy.length);
        assign(to, use(from), owner(from), index(from));
        referenced[to - firstPfn] = referenced[from - firstPfn];
    }

    int older(int pfn) {
        return older[pfn - firstPfn];
    }

    int newer(int pfn) {
        return newer[pfn - firstPfn];
    }

    void older(int pfn, int link) {
        older[pfn - firstPfn] = link;
    }

    void newer(int pfn, int link) {
        newer[pfn - firstPfn] = link;
    }
}
