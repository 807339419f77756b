package io.aerostat.balloon.reclaim;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.RamRegion;

/**
 * Gives nothing back, and says so: no byte is ever accepted, and pages hold what they held. For RAM
 * that cannot be given back in parts, such as one large byte array: the balloon then still tells
 * the host which pages it need not save or copy.
 */
public final class NoReclaim implements PageReclaimer {
    /** The unit is a guest page. */
    @Override
    public int granularityBytes() {
        return RamRegion.PAGE_BYTES;
    }

    @Override
    public Content contentAfterDiscard() {
        return Content.UNCHANGED;
    }

    /** Does nothing; 0 bytes are accepted. */
    @Override
    public long discard(PageRanges ranges) {
        return 0;
    }

    /** Does nothing. */
    @Override
    public void reuse(PageRanges ranges) {}

    /** 0: there is nobody to call. */
    @Override
    public long discardCalls() {
        return 0;
    }

    /** {@link #UNKNOWN}. */
    @Override
    public long residentBytes(long gpa, long length) {
        return UNKNOWN;
    }
}
