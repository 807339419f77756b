package io.aerostat.balloon;

import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

/**
 * Tells whether what a driver says is in the balloon can be true.
 *
 * <p>A driver writes {@code actual} some time after the device has used its requests (VIRTIO 1.4,
 * 5.5.6), so it lags behind the ledger. It may have seen the two queues' used buffers in any order:
 * since both sides last agreed it counts some of the pages that went in and some of those that came
 * out. Outside these bounds it is false. Once pages have gone both ways between two looks, the
 * bounds only widen until the next reset: an honest driver is never accused, and not every lie is
 * found.
 */
final class ActualCheck {
    private long agreed;
    private long lowest;
    private long highest;
    private long last;

    /** Both sides are at {@code pages}. */
    void agree(long pages) {
        agreed = pages;
        lowest = pages;
        highest = pages;
        last = pages;
    }

    /** The ledger has come to {@code pages}, by moves in one direction. */
    void ledgerAt(long pages) {
        lowest -= Math.max(0, last - pages);
        highest += Math.max(0, pages - last);
        last = pages;
    }

    /** The driver claims {@code actual}. */
    boolean isPlausible(long actual, long ledger) {
        ledgerAt(ledger);
        boolean plausible = actual >= lowest && actual <= highest;
        // If pages went both ways, an equal number may be chance: the driver has seen some of them.
        boolean oneWay = lowest == agreed || highest == agreed;
        if (actual == ledger && oneWay) {
            agree(ledger);
        }
        return plausible;
    }

    void save(SnapshotWriter out) {
        out.writeLong(agreed);
        out.writeLong(lowest);
        out.writeLong(highest);
        out.writeLong(last);
    }

    Runnable prepareRestore(SnapshotReader in) throws SnapshotException {
        long savedAgreed = in.readLong("agreedPages");
        long savedLowest = in.readLong("lowestPages");
        long savedHighest = in.readLong("highestPages");
        long savedLast = in.readLong("lastPages");
        return () -> {
            agreed = savedAgreed;
            lowest = savedLowest;
            highest = savedHighest;
            last = savedLast;
        };
    }
}
