package io.aerostat.balloon;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.BalloonCounters;
import io.aerostat.balloon.stats.Contradiction;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

import java.util.function.Supplier;

/**
 * Counts what cannot be true in a guest's statistics. Figures are of some moment since they were
 * asked for, so the balloon is taken at its smallest since then. What is resident is not looked at
 * here: asking the kernel takes too long for the device's owner.
 */
final class StatisticsCheck {
    private final long ramBytes;
    private final BalloonCounters counters;
    private @Nullable GuestStatistics seen;

    /** The first figures come unasked, when nothing has been in the balloon for sure. */
    private long smallestBalloonPages;

    StatisticsCheck(long ramBytes, BalloonCounters counters) {
        this.ramBytes = ramBytes;
        this.counters = counters;
    }

    /** New figures are asked for, and the balloon has so many pages. */
    void asked(long ledgerPages) {
        smallestBalloonPages = ledgerPages;
    }

    /** The balloon has come to so many pages. */
    void ledgerAt(long ledgerPages) {
        smallestBalloonPages = Math.min(smallestBalloonPages, ledgerPages);
    }

    /**
     * Looks at figures, once.
     *
     * @param mustTellHost whether pages are in the balloon until the device has served their
     *     deflate request; otherwise they may be free once it is available, seen or not, and the
     *     balloon contradicts nothing
     */
    void look(@Nullable GuestStatistics latest, boolean mustTellHost) {
        if (latest == null || latest == seen) {
            return;
        }
        seen = latest;
        long balloonPages = mustTellHost ? smallestBalloonPages : 0;
        int found =
                Contradiction.in(
                                latest,
                                ramBytes,
                                balloonPages << PageFrame.SHIFT,
                                Contradiction.UNKNOWN)
                        .size();
        counters.add(BalloonCounter.CONTRADICTORY_STATISTICS, found);
    }

    void save(SnapshotWriter out) {
        out.writeLong(smallestBalloonPages);
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @param latest what is restored of the figures then, which were looked at when they came
     */
    Runnable prepareRestore(SnapshotReader in, Supplier<@Nullable GuestStatistics> latest)
            throws SnapshotException {
        long saved = in.readLong("smallestBalloonPages", 0, Long.MAX_VALUE);
        return () -> {
            smallestBalloonPages = saved;
            seen = latest.get();
        };
    }

    /** The same figures stand at another place. */
    void seen(@Nullable GuestStatistics latest) {
        seen = latest;
    }
}
