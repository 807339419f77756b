package io.aerostat.guest.mm;

/** Somebody who holds page frames and can take others instead, so that compaction gets a block. */
public interface PageMover {
    /** Nobody. */
    PageMover NONE =
            new PageMover() {
                @Override
                public boolean owns(int pfn) {
                    return false;
                }

                @Override
                public boolean move(int pfn) {
                    return false;
                }
            };

    /**
     * Tells whether a frame is one that it holds and can move.
     *
     * @param pfn a frame that the balloon's allocator handed out
     */
    boolean owns(int pfn);

    /**
     * Starts to replace a frame that it owns by another, which it allocates itself: later the frame
     * is freed. For a frame that is on its way already, this answers true and starts nothing.
     *
     * @return false if that can't be done now
     */
    boolean move(int pfn);
}
