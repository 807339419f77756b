package io.aerostat.balloon;

/**
 * Tells whether what a driver says is in the balloon can be true.
 *
 * <p>A driver writes {@code actual} some time after the device has used its requests (VIRTIO 1.4,
 * 5.5.6), so it lags behind the ledger. But every value it writes was the ledger's at some time
 * since the two last agreed: outside the lowest and highest of those it is false.
 */
final class ActualCheck {
    private long lowest;
    private long highest;

    /** Both sides are at {@code pages}. */
    void agree(long pages) {
        lowest = pages;
        highest = pages;
    }

    /** The ledger has come to {@code pages}. */
    void ledgerAt(long pages) {
        lowest = Math.min(lowest, pages);
        highest = Math.max(highest, pages);
    }

    /** The driver claims {@code actual}. */
    boolean isPlausible(long actual, long ledger) {
        ledgerAt(ledger);
        boolean plausible = actual >= lowest && actual <= highest;
        if (actual == ledger) {
            agree(ledger);
        }
        return plausible;
    }
}
