package io.aerostat.balloon.handler;

import io.aerostat.balloon.range.HostPages;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.RamClip;

/**
 * Pages come back out of the balloon: the ledger forgets them, and the guest may use them once the
 * request is returned.
 */
public final class Deflation implements RangeAction {
    private final RamClip clip;
    private final PageLedger ledger;
    private final HostPages hostPages;
    private final PageReclaimer reclaimer;
    private final BalloonCounters counters;

    /** Deflation of pages that {@code clip} leaves. */
    public Deflation(
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
        long removed = 0;
        for (int i = 0; i < pages.count(); i++) {
            removed += ledger.remove(pages.pfn(i), pages.pages(i));
        }
        counters.add(BalloonCounter.PAGES_DEFLATED, removed);
        counters.add(BalloonCounter.PAGES_DEFLATED_UNASKED, repeated + pages.pages() - removed);
        counters.add(BalloonCounter.PAGES_OUTSIDE_RAM, clip.outsidePages());
        counters.add(BalloonCounter.PAGES_OF_LIVE_RING, clip.protectedPages());
        counters.add(BalloonCounter.HOST_PAGES_BROKEN_UP, hostPages.brokenUpBy(pages));
        if (pages.count() > 0) {
            reclaimer.reuse(pages);
        }
    }

    @Override
    public void countRequests(long requests) {
        counters.add(BalloonCounter.DEFLATE_REQUESTS, requests);
    }
}
