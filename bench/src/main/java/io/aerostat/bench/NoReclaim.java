package io.aerostat.bench;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.spec.balloon.PageFrame;

/** Gives nothing back: what is left is the ring, the batch and the ledger. */
final class NoReclaim implements PageReclaimer {
    private long calls;

    @Override
    public int granularityBytes() {
        return PageFrame.BYTES;
    }

    @Override
    public Content contentAfterDiscard() {
        return Content.UNCHANGED;
    }

    @Override
    public long discard(PageRanges ranges) {
        calls++;
        return 0;
    }

    @Override
    public void reuse(PageRanges ranges) {}

    @Override
    public long discardCalls() {
        return calls;
    }

    @Override
    public long residentBytes(long gpa, long length) {
        return UNKNOWN;
    }
}
