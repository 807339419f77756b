package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.HostPages;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.RamClip;

/**
 * Pages go into the balloon: the ledger remembers them, and the reclaimer gives the host pages that
 * they complete back to the host.
 */
public final class Inflation implements RangeAction {
    private final RamClip clip;
    private final PageLedger ledger;
    private final HostPages hostPages;
    private final PageReclaimer reclaimer;
    private final BalloonCounters counters;

    /** Inflation of pages that {@code clip} leaves. */
    public Inflation(
            RamClip clip,
            PageLedger ledger,
            HostPages hostPages,
            PageReclaimer reclaimer,
            BalloonCounters counters) {
        this.clip = clip;
        this.ledger = ledger;
        this.hostPages = hostPages;
        this.reclaimer = reclaimer;
        this.counters = counters;
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
        PageRanges complete = hostPages.completedBy(pages);
        counters.add(BalloonCounter.HOST_PAGES_COMPLETED, hostPages.newlyComplete());
        if (complete.count() > 0) {
            counters.add(BalloonCounter.BYTES_ASKED, complete.bytes());
            counters.add(BalloonCounter.BYTES_ACCEPTED, reclaimer.discard(complete));
        }
    }

    @Override
    public void countRequests(long requests) {
        counters.add(BalloonCounter.INFLATE_REQUESTS, requests);
    }
}
