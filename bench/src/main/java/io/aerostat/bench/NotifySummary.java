package io.aerostat.bench;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * The table of {@link NotifyBenchmark}. All figures but the median are of the quickest tenth of
 * rounds, which other work on the machine disturbs least.
 */
final class NotifySummary {
    /**
     * Bytes a request that stand for none: a JVM that compiles a method anew allocates a little. An
     * object for each request has 16 at least.
     */
    private static final double NO_BYTES = 0.1;

    private static final String UNKNOWN = "-";

    private final List<NotifyFigures> all;

    NotifySummary(List<NotifyFigures> all) {
        this.all = List.copyOf(all);
    }

    /** Runs on flat RAM that allocated: there must be none. */
    List<NotifyFigures> allocatingFlat() {
        // NaN is not below anything either.
        return all.stream()
                .filter(figures -> figures.ram().isFlat() && !(figures.bytes() < NO_BYTES))
                .toList();
    }

    /** Prints a line for each run with a balloon, and nothing if there is none. */
    void print(PrintStream out) {
        List<NotifyFigures> balloons = all.stream().filter(f -> !f.ringsOnly()).toList();
        if (balloons.isEmpty()) {
            return;
        }
        out.printf(
                Locale.ROOT,
                "%n%-16s %-6s %10s %10s %10s %8s %6s %10s%n",
                "guest RAM",
                "export",
                "ns/request",
                "rings",
                "median",
                "ns/PFN",
                "x raw",
                "B/request");
        balloons.forEach(figures -> print(figures, out));
    }

    private void print(NotifyFigures figures, PrintStream out) {
        out.printf(
                Locale.ROOT,
                "%-16s %-6s %,10.0f %10s %,10.0f %8.2f %6s %10.4f%n",
                figures.ram(),
                figures.exported() ? "yes" : "no",
                figures.quickNs(),
                text("%.0f", quickNs(figures.ram(), figures.exported(), true)),
                figures.medianNs(),
                figures.quickNs() / RequestRig.PAGES_PER_REQUEST,
                text("%.2f", timesRaw(figures)),
                figures.bytes());
    }

    private OptionalDouble timesRaw(NotifyFigures figures) {
        OptionalDouble raw = quickNs(RamKind.RAW_ADDRESS, true, false);
        return raw.isPresent() ? OptionalDouble.of(figures.quickNs() / raw.getAsDouble()) : raw;
    }

    private OptionalDouble quickNs(RamKind ram, boolean exported, boolean ringsOnly) {
        return all.stream()
                .filter(f -> f.ram() == ram)
                .filter(f -> f.exported() == exported && f.ringsOnly() == ringsOnly)
                .mapToDouble(NotifyFigures::quickNs)
                .findFirst();
    }

    private static String text(String format, OptionalDouble value) {
        return value.isPresent()
                ? String.format(Locale.ROOT, format, value.getAsDouble())
                : UNKNOWN;
    }
}
