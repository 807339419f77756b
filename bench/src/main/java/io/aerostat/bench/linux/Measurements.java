package io.aerostat.bench.linux;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What was measured of one guest on one back-end. */
final class Measurements {
    private final String backEnd;
    private final long guestBytes;
    private final long balloonPages;
    private final List<Round> rounds = new ArrayList<>();
    private final Map<RoundKind, RequestTimes> requests = new EnumMap<>(RoundKind.class);
    private final RequestTimes singles = RequestTimes.none();
    private final Latency singleCalls = new Latency();

    /**
     * @param backEnd its label
     * @param guestBytes the guest's RAM
     * @param balloonPages how far the balloon is inflated
     */
    Measurements(String backEnd, long guestBytes, long balloonPages) {
        this.backEnd = backEnd;
        this.guestBytes = guestBytes;
        this.balloonPages = balloonPages;
        for (RoundKind kind : RoundKind.values()) {
            requests.put(kind, RequestTimes.none());
        }
    }

    String backEnd() {
        return backEnd;
    }

    long guestBytes() {
        return guestBytes;
    }

    long balloonPages() {
        return balloonPages;
    }

    void add(Round round) {
        rounds.add(round);
    }

    /** In the order in which they were run. */
    List<Round> rounds() {
        return List.copyOf(rounds);
    }

    /** The requests of a kind's rounds. */
    RequestTimes requests(RoundKind kind) {
        RequestTimes times = requests.get(kind);
        if (times == null) {
            throw new IllegalStateException("every kind has times: kind=" + kind);
        }
        return times;
    }

    /** Requests that were sent alone. */
    RequestTimes singles() {
        return singles;
    }

    /** From the host's call to its end, for one request each. */
    Latency singleCalls() {
        return singleCalls;
    }

    /** Forgets all: what was measured so far was warm-up. */
    void clear() {
        rounds.clear();
        requests.values().forEach(RequestTimes::clear);
        singles.clear();
        singleCalls.clear();
    }

    /** Rounds of a kind. */
    List<Round> of(RoundKind kind) {
        return rounds.stream().filter(round -> round.kind() == kind).toList();
    }

    /** Where a figure of a kind's rounds lies; there must be one. */
    Spread spread(RoundKind kind, ToDoubleFunction<Round> figure) {
        return Spread.of(of(kind).stream().mapToDouble(figure).toArray());
    }
}
