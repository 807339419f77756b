package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.RamClip;
import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Pages go into the balloon: the ledger remembers them and the reclaimer gives them back to the
 * host.
 */
public final class Inflation implements RangeAction {
    private final RamClip clip;
    private final PageLedger ledger;
    private final PageReclaimer reclaimer;
    private final BalloonCounters counters;
    private final int unitPages;
    private final PageRanges wholeUnits;

    /** Inflation of pages that {@code clip} leaves, which has room for {@code capacity} ranges. */
    public Inflation(
            RamClip clip, PageLedger ledger, PageReclaimer reclaimer, BalloonCounters counters) {
        int unit = reclaimer.granularityBytes();
        if (unit < PageFrame.BYTES || Integer.bitCount(unit) != 1) {
            throw new IllegalArgumentException(
                    "granularity must be a power of two from 4096 up: granularityBytes=" + unit);
        }
        this.clip = clip;
        this.ledger = ledger;
        this.reclaimer = reclaimer;
        this.counters = counters;
        this.unitPages = unit >>> PageFrame.SHIFT;
        this.wholeUnits = new PageRanges(clip.clipped().capacity());
    }

    @Override
    public void apply(PageRanges named, long repeated) {
        PageRanges pages = clip.clip(named);
        long added = 0;
        for (int i = 0; i < pages.count(); i++) {
            added += ledger.add(pages.pfn(i), pages.pages(i));
        }
        counters.add(BalloonCounter.PAGES_INFLATED, added);
        counters.add(BalloonCounter.PAGES_INFLATED_TWICE, repeated + pages.pages() - added);
        counters.add(BalloonCounter.PAGES_OUTSIDE_RAM, clip.outsidePages());
        counters.add(BalloonCounter.PAGES_OF_LIVE_RING, clip.protectedPages());
        discard(unitPages == 1 ? pages : roundedInwards(pages));
        counters.add(
                BalloonCounter.BYTES_BELOW_GRANULARITY,
                unitPages == 1 ? 0 : pages.bytes() - wholeUnits.bytes());
    }

    private void discard(PageRanges ranges) {
        if (ranges.count() == 0) {
            return;
        }
        counters.add(BalloonCounter.BYTES_ASKED, ranges.bytes());
        counters.add(BalloonCounter.BYTES_ACCEPTED, reclaimer.discard(ranges));
    }

    /** Never beyond what was named: a unit that is only partly in the balloon stays. */
    private PageRanges roundedInwards(PageRanges pages) {
        wholeUnits.clear();
        for (int i = 0; i < pages.count(); i++) {
            long first = (pages.pfn(i) + unitPages - 1) & -unitPages;
            long end = (pages.pfn(i) + pages.pages(i)) & -unitPages;
            if (first < end) {
                wholeUnits.add(first, (int) (end - first));
            }
        }
        return wholeUnits;
    }

    @Override
    public void countRequests(long requests) {
        counters.add(BalloonCounter.INFLATE_REQUESTS, requests);
    }
}
