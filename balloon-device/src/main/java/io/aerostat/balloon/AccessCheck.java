package io.aerostat.balloon;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.BalloonCounters;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.virtio.queue.DeviceQueue;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Judges accesses to ballooned pages. Without MUST_TELL_HOST a page may be used once its deflate
 * request is available to the device, whether the device has seen it or not: so an access waits
 * until all requests that were available at its time have been served. If the page is out then, all
 * is well.
 *
 * <p>The owner's, but {@link #enter}.
 */
final class AccessCheck {
    /** Accesses that wait at a time. */
    private static final int LIMIT = 64;

    private record Suspect(long pfn, int upTo, Consumer<GuestAccess> verdict) {}

    private final PageLedger ledger;
    private final BalloonCounters counters;
    private final AtomicInteger waiting = new AtomicInteger();
    private final ArrayDeque<Suspect> unplaced = new ArrayDeque<>(LIMIT);
    private final ArrayDeque<Suspect> placed = new ArrayDeque<>(LIMIT);

    AccessCheck(PageLedger ledger, BalloonCounters counters) {
        this.ledger = ledger;
        this.counters = counters;
    }

    /** Takes a place for one access. False if there is none. Any thread. */
    boolean enter() {
        if (waiting.incrementAndGet() <= LIMIT) {
            return true;
        }
        waiting.decrementAndGet();
        return false;
    }

    /** Judges an access that has entered, at once or after the next pass over the deflate queue. */
    void judge(
            long pfn,
            boolean mustTellHost,
            boolean deflateQueueIsLive,
            Consumer<GuestAccess> verdict) {
        Suspect suspect = new Suspect(pfn, 0, verdict);
        if (!ledger.contains(pfn)) {
            end(suspect, GuestAccess.FREE_TO_USE);
        } else if (mustTellHost || !deflateQueueIsLive) {
            end(suspect, GuestAccess.BALLOONED);
        } else {
            unplaced.add(suspect);
        }
    }

    /** Tells whether the deflate queue wants a pass for the sake of accesses. */
    boolean isWaiting() {
        return !unplaced.isEmpty() || !placed.isEmpty();
    }

    /** The deflate queue is about to be served. */
    void beforeDeflation(DeviceQueue ring) {
        while (!unplaced.isEmpty()) {
            Suspect suspect = unplaced.remove();
            placed.add(new Suspect(suspect.pfn, ring.availableIndex(), suspect.verdict));
        }
    }

    /** The deflate queue has been served; {@code atRest} if no request is half done. */
    void afterDeflation(DeviceQueue ring, boolean atRest) {
        // All of them: a page that is out now may be in the balloon again after the next pass.
        for (int left = placed.size(); left > 0; left--) {
            Suspect suspect = placed.remove();
            boolean out = !ledger.contains(suspect.pfn);
            if (out || ring.hasTaken(atRest ? suspect.upTo : suspect.upTo + 1)) {
                end(suspect, out ? GuestAccess.DEFLATE_SENT : GuestAccess.BALLOONED);
            } else {
                placed.add(suspect);
            }
        }
    }

    /** The deflate queue is gone, or is served no more. */
    void deflateQueueGone() {
        unplaced.addAll(placed);
        placed.clear();
        while (!unplaced.isEmpty()) {
            Suspect suspect = unplaced.remove();
            boolean in = ledger.contains(suspect.pfn);
            end(suspect, in ? GuestAccess.BALLOONED : GuestAccess.DEFLATE_SENT);
        }
    }

    private void end(Suspect suspect, GuestAccess verdict) {
        waiting.decrementAndGet();
        switch (verdict) {
            case DEFLATE_SENT -> counters.add(BalloonCounter.EARLY_USES, 1);
            case BALLOONED -> counters.add(BalloonCounter.USES_OF_BALLOONED_PAGES, 1);
            case FREE_TO_USE, UNDECIDED -> {}
        }
        suspect.verdict.accept(verdict);
    }
}
