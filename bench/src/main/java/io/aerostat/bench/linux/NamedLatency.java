package io.aerostat.bench.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * Times of requests, and which.
 *
 * @param label for tables and files
 */
record NamedLatency(String label, Latency latency) {
    /** All that have any events. */
    static List<NamedLatency> of(Measurements measured) {
        List<NamedLatency> all = new ArrayList<>();
        for (RoundKind kind : RoundKind.values()) {
            add(all, kind.label(), measured.requests(kind));
        }
        add(all, "alone", measured.singles());
        all.add(new NamedLatency("alone: call to end", measured.singleCalls()));
        all.removeIf(named -> named.latency().count() == 0);
        return all;
    }

    private static void add(List<NamedLatency> all, String what, RequestTimes times) {
        all.add(new NamedLatency(what + ": kick to interrupt", times.device()));
        all.add(new NamedLatency(what + ": interrupt to next kick", times.guest()));
    }
}
