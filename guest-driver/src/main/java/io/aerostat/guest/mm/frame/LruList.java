package io.aerostat.guest.mm.frame;

/**
 * Page frames in the order they were put in, linked through the {@link FrameTable}. A frame is in
 * one list at most; whoever puts it in sees to that.
 *
 * <p>Together with the table's referenced bits this is the clock algorithm: who looks for a frame
 * to evict takes the oldest, and moves it to the new end if it was accessed meanwhile.
 */
public final class LruList {
    /** The answer that stands for "no frame". */
    public static final int NONE = FrameTable.NONE;

    private final FrameTable frames;
    private int oldest = NONE;
    private int newest = NONE;
    private int size;

    /** An empty list. */
    public LruList(FrameTable frames) {
        this.frames = frames;
    }

    /** How many frames are in it. */
    public int size() {
        return size;
    }

    /** The frame that was put in longest ago, or {@link #NONE}. */
    public int oldest() {
        return oldest;
    }

    /** Puts a frame in as the newest. */
    public void add(int pfn) {
        frames.older(pfn, newest);
        frames.newer(pfn, NONE);
        if (newest == NONE) {
            oldest = pfn;
        } else {
            frames.newer(newest, pfn);
        }
        newest = pfn;
        size++;
    }

    /** Takes a frame out. */
    public void remove(int pfn) {
        int before = frames.older(pfn);
        int behind = frames.newer(pfn);
        linkBehind(before, behind);
        linkBefore(behind, before);
        size--;
    }

    /** Puts a frame in at the place of another, which is out then. */
    public void replace(int pfn, int successor) {
        int before = frames.older(pfn);
        int behind = frames.newer(pfn);
        frames.older(successor, before);
        frames.newer(successor, behind);
        linkBehind(before, successor);
        linkBefore(behind, successor);
    }

    private void linkBehind(int pfn, int link) {
        if (pfn == NONE) {
            oldest = link;
        } else {
            frames.newer(pfn, link);
        }
    }

    private void linkBefore(int pfn, int link) {
        if (pfn == NONE) {
            newest = link;
        } else {
            frames.older(pfn, link);
        }
    }
}
