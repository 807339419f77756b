package io.aerostat.balloon;

import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

/**
 * Which target the guest is shown on its way to the one that the host wants: it rises no faster
 * than the rate, and holds still for a while when the guest had to take pages back.
 *
 * <pre>
 *   wanted  ─────────────┌───────────────────────────────────────────
 *                        │        ╱└ guest in need ┐  hold   ╱
 *   shown   ─────────────┘      ╱                  └───────╱          never above what the guest
 *                             ╱ rate                      rate        has just shown it can bear
 * </pre>
 *
 * <p>A guest is in need if, while nothing asked for it, pages came out of the balloon below the
 * target. Few of them may be pages on the move (balloon compaction), so they must be some.
 *
 * <p>The owner's.
 */
final class TargetPace {
    /** Fewer pages than these that come out may be on the move. Linux takes 256 back at a time. */
    static final long PAGES_IN_NEED = 32;

    /** So long after a new target pages may still come out that an old one asked for. */
    private static final long GRACE_NS = 1_000_000_000L;

    /** How often a rising target is shown anew: each time interrupts the guest. */
    private static final long STEP_NS = 10_000_000L;

    private static final long STEPS_PER_SECOND = 1_000_000_000L / STEP_NS;

    private final long pagesPerSecond;
    private final long holdNs;

    private long wanted;
    private long shown;
    private long nowNs;

    /** What began since the last look at the clock, which may be long ago, begins at the next. */
    private boolean beginsAtNextLook = true;

    /** Where the present rise began. */
    private long riseFrom;

    private long riseSinceNs;

    private long graceUntilNs;
    private boolean holding;
    private long holdUntilNs;

    /** What the balloon had at the last look but for few pages since; a fall is from here. */
    private long seen;

    TargetPace(long pagesPerSecond, long holdNs) {
        this.pagesPerSecond = pagesPerSecond;
        this.holdNs = holdNs;
    }

    /** The host wants so many pages in the balloon, which has {@code ballooned} now. */
    void want(long pages, long ballooned) {
        if (pages == wanted) {
            // Said again: neither a rise nor a hold begins anew.
            return;
        }
        wanted = pages;
        holding = false;
        graceUntilNs = nowNs + GRACE_NS;
        beginsAtNextLook = true;
        // What is in the balloon need not be shown again slowly.
        rise(Math.max(shown, ballooned));
        seen = ballooned;
    }

    /** What the host wants. */
    long wanted() {
        return wanted;
    }

    /** Time goes on; the balloon has {@code ballooned} pages. Returns the pages taken back. */
    long elapsed(long nowNs, long ballooned, boolean mayTakeBack) {
        this.nowNs = nowNs;
        if (beginsAtNextLook) {
            beginsAtNextLook = false;
            riseSinceNs = nowNs;
            graceUntilNs = nowNs + GRACE_NS;
        }
        if (holding && nowNs - holdUntilNs >= 0) {
            holding = false;
            rise(shown);
        }
        long fallen = Math.min(seen, shown) - ballooned;
        boolean onItsOwn = ballooned < wanted && nowNs - graceUntilNs >= 0;
        if (onItsOwn && fallen > 0 && fallen < PAGES_IN_NEED) {
            // More may follow: one request can take several passes.
            return 0;
        }
        seen = ballooned;
        if (!onItsOwn || fallen <= 0) {
            return 0;
        }
        if (mayTakeBack && holdNs > 0) {
            holding = true;
            holdUntilNs = nowNs + holdNs;
            shown = ballooned;
        }
        return fallen;
    }

    /** The driver is gone, and another may come: it starts with an empty balloon. */
    void restart() {
        holding = false;
        beginsAtNextLook = true;
        seen = 0;
        rise(0);
    }

    private void rise(long from) {
        riseFrom = from;
        riseSinceNs = nowNs;
        shown = Math.min(from, wanted);
    }

    /** The target to show now. */
    long shown() {
        if (!holding && shown < wanted) {
            shown = pagesPerSecond == 0 ? wanted : Math.min(wanted, risen());
        }
        return shown;
    }

    private long risen() {
        // Bytes of a snapshot may say that it began at any time; and the rate may be any.
        long steps = Math.max(0, (nowNs - riseSinceNs) / STEP_NS);
        if (steps > Long.MAX_VALUE / pagesPerSecond) {
            return wanted;
        }
        return riseFrom + Math.min(wanted, pagesPerSecond * steps / STEPS_PER_SECOND);
    }

    // save and restore; the clock may be another one then

    void save(SnapshotWriter out) {
        out.writeLong(wanted);
        out.writeLong(shown);
        out.writeLong(riseFrom);
        out.writeLong(riseSinceNs - nowNs);
        out.writeLong(graceUntilNs - nowNs);
        out.writeBoolean(holding);
        out.writeLong(holdUntilNs - nowNs);
        out.writeLong(seen);
    }

    Runnable prepareRestore(SnapshotReader in, long maxPages) throws SnapshotException {
        long savedWanted = in.readLong("wantedPages", 0, maxPages);
        long savedShown = in.readLong("shownPages", 0, savedWanted);
        long savedRiseFrom = in.readLong("riseFromPages", 0, maxPages);
        long savedRiseSince = in.readLong("riseSinceNs");
        long savedGrace = in.readLong("graceUntilNs");
        boolean savedHolding = in.readBoolean("holding");
        long savedHoldUntil = in.readLong("holdUntilNs");
        long savedSeen = in.readLong("seenPages", 0, maxPages);
        return () -> {
            nowNs = 0;
            beginsAtNextLook = false;
            wanted = savedWanted;
            shown = savedShown;
            riseFrom = savedRiseFrom;
            riseSinceNs = savedRiseSince;
            graceUntilNs = savedGrace;
            holding = savedHolding;
            holdUntilNs = savedHoldUntil;
            seen = savedSeen;
        };
    }

    /** The clock, which stood at 0 when this was restored, goes on from {@code nowNs}. */
    void clockStarts(long nowNs) {
        this.nowNs += nowNs;
        riseSinceNs += nowNs;
        graceUntilNs += nowNs;
        holdUntilNs += nowNs;
    }
}
