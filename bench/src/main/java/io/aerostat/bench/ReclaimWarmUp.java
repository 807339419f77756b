package io.aerostat.bench;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Makes the compiler notice a reclaimer: a measured run makes few calls to the operating system,
 * too few for a short warm-up. On pages that are not there they cost next to nothing.
 */
final class ReclaimWarmUp {
    private static final int CALLS = 20_000;
    private static final int RANGES = 4;

    private ReclaimWarmUp() {}

    /** Discards single units and lists of them at the start of RAM, which nobody has touched. */
    static void run(PageReclaimer reclaimer) {
        int unitPages = reclaimer.granularityBytes() >>> PageFrame.SHIFT;
        PageRanges one = new PageRanges(1);
        one.add(0, unitPages);
        PageRanges several = new PageRanges(RANGES);
        for (long i = 0; i < RANGES; i++) {
            several.add(2 * i * unitPages, unitPages);
        }
        for (int i = 0; i < CALLS; i++) {
            reclaimer.discard(one);
            reclaimer.discard(several);
        }
    }
}
