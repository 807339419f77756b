package io.aerostat.bench.linux;

import java.util.Optional;

/**
 * How the balloon came to another size.
 *
 * @param elapsedNs from the call to its end
 * @param requests that the guest sent
 * @param pages of 4 KiB that they named
 * @param discardCalls system calls that gave memory back
 * @param device where the back-end can tell
 */
record Change(
        long elapsedNs, long requests, long pages, long discardCalls, Optional<DeviceTime> device) {
    private static final double NS_PER_SECOND = 1e9;

    /** Pages a second, from the call to its end. */
    double pagesPerSecond() {
        return NS_PER_SECOND * pages / elapsedNs;
    }

    /** Requests a second, from the call to its end. */
    double requestsPerSecond() {
        return NS_PER_SECOND * requests / elapsedNs;
    }

    double pagesPerRequest() {
        return (double) pages / requests;
    }

    double discardCallsPerPage() {
        return (double) discardCalls / pages;
    }
}
