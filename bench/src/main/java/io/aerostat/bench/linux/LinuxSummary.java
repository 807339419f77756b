package io.aerostat.bench.linux;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** The tables at the end of a {@link LinuxBenchmark}. */
final class LinuxSummary {
    private static final int CALLS_PER_PAGES = 1000;
    private static final double NS_PER_SECOND = 1e9;
    private static final double PERCENT = 100;

    private final List<Measurements> all;
    private final PrintStream out;

    LinuxSummary(List<Measurements> all, PrintStream out) {
        this.all = List.copyOf(all);
        this.out = out;
    }

    /** Prints what is there. */
    void print() {
        printSpeed();
        printShares();
        printLatencies();
    }

    private void printSpeed() {
        out.println();
        out.println("From the call to its end; medians of the rounds:");
        out.printf(
                Locale.ROOT,
                "%-9s %-9s %-15s %6s %11s %11s %11s %8s %11s %9s %11s %9s%n",
                "guest",
                "back-end",
                "what",
                "rounds",
                "pages/s",
                "min",
                "max",
                "x python",
                "requests/s",
                "pages/rq",
                "calls/1000",
                "released");
        for (Measurements measured : all) {
            for (RoundKind kind : RoundKind.values()) {
                printSpeed(measured, kind);
            }
        }
    }

    private void printSpeed(Measurements measured, RoundKind kind) {
        Spread speed = speed(measured, kind);
        double released = measured.spread(kind, Round::releasedBytes).median();
        out.printf(
                Locale.ROOT,
                "%-9s %-9s %-15s %6d %,11.0f %,11.0f %,11.0f %8s %,11.0f %9.1f %11.2f %,5.0f MiB%n",
                size(measured),
                measured.backEnd(),
                kind.label(),
                measured.of(kind).size(),
                speed.median(),
                speed.minimum(),
                speed.maximum(),
                ratio(measured, kind),
                median(measured, kind, Change::requestsPerSecond),
                median(measured, kind, Change::pagesPerRequest),
                CALLS_PER_PAGES * median(measured, kind, Change::discardCallsPerPage),
                released / (1 << 20));
    }

    /**
     * How many times as fast as the peer on the same guest: each round is compared with the peer's
     * that was run beside it, for the machine's own speed changes meanwhile; then the median.
     */
    private String ratio(Measurements measured, RoundKind kind) {
        Optional<Measurements> peer =
                all.stream()
                        .filter(other -> other.backEnd().equals(PeerBackEnd.LABEL))
                        .filter(other -> other.guestBytes() == measured.guestBytes())
                        .findFirst();
        if (peer.isEmpty() || peer.get() == measured) {
            return "-";
        }
        List<Round> ours = measured.of(kind);
        List<Round> theirs = peer.get().of(kind);
        double[] ratios = new double[Math.min(ours.size(), theirs.size())];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] =
                    ours.get(i).change().pagesPerSecond() / theirs.get(i).change().pagesPerSecond();
        }
        return String.format(Locale.ROOT, "%.2f", Spread.of(ratios).median());
    }

    private static Spread speed(Measurements measured, RoundKind kind) {
        return measured.spread(kind, round -> round.change().pagesPerSecond());
    }

    private static double median(
            Measurements measured, RoundKind kind, ToDoubleFunction<Change> figure) {
        return measured.spread(kind, round -> figure.applyAsDouble(round.change())).median();
    }

    private void printShares() {
        out.println();
        out.println("Whose time it is; medians:");
        out.printf(
                Locale.ROOT,
                "%-9s %-15s %21s %19s %19s %19s%n",
                "guest",
                "what",
                "pages/s in the rings",
                "at the device",
                "elsewhere",
                "device's thread");
        for (Measurements measured : all) {
            for (RoundKind kind : RoundKind.values()) {
                if (measured.of(kind).stream().allMatch(r -> r.change().device().isPresent())) {
                    printShares(measured, kind);
                }
            }
        }
    }

    private void printShares(Measurements measured, RoundKind kind) {
        double busy = share(measured, kind, DeviceTime::busyNs);
        out.printf(
                Locale.ROOT,
                "%-9s %-15s %,21.0f %17.0f %% %17.0f %% %17.0f %%%n",
                size(measured),
                kind.label(),
                median(
                        measured,
                        kind,
                        change -> NS_PER_SECOND * change.pages() / time(change).spanNs()),
                busy,
                PERCENT - busy,
                share(measured, kind, DeviceTime::cpuNs));
    }

    private static double share(
            Measurements measured, RoundKind kind, ToDoubleFunction<DeviceTime> part) {
        return median(
                measured,
                kind,
                change -> PERCENT * part.applyAsDouble(time(change)) / change.elapsedNs());
    }

    private static DeviceTime time(Change change) {
        return change.device().orElseThrow();
    }

    private void printLatencies() {
        out.println();
        out.println("One request, in microseconds:");
        out.printf(
                Locale.ROOT,
                "%-9s %-9s %-42s %9s %9s %9s %9s %9s %9s%n",
                "guest",
                "back-end",
                "what",
                "count",
                "p50",
                "p90",
                "p99",
                "p99.9",
                "max");
        for (Measurements measured : all) {
            for (NamedLatency named : NamedLatency.of(measured)) {
                Latency latency = named.latency();
                out.printf(
                        Locale.ROOT,
                        "%-9s %-9s %-42s %9d %9.1f %9.1f %9.1f %9.1f %9.1f%n",
                        size(measured),
                        measured.backEnd(),
                        named.label(),
                        latency.count(),
                        latency.us(50),
                        latency.us(90),
                        latency.us(99),
                        latency.us(99.9),
                        latency.us(100));
            }
        }
    }

    private static String size(Measurements measured) {
        return (measured.guestBytes() >> 20) + " MiB";
    }
}
