package io.aerostat.bench;

import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** The table of {@link GranularityBenchmark}, whose questions differ from all others'. */
final class GranularitySummary {
    private static final int CALLS_PER_PAGES = 1000;

    private GranularitySummary() {}

    static boolean isAbout(RunResult run) {
        return run.getParams()
                .getBenchmark()
                .startsWith(GranularityBenchmark.class.getName() + ".");
    }

    /** Prints a line for each run, and nothing if there is none. */
    static void print(List<RunResult> runs, PrintStream out) {
        if (runs.isEmpty()) {
            return;
        }
        out.printf(
                Locale.ROOT,
                "%n%-20s %8s %-11s %-11s %9s %9s %17s %9s%n",
                "benchmark",
                "unit KiB",
                "huge pages",
                "order",
                "ns/page",
                "+-",
                "calls/1000 pages",
                "taken");
        for (RunResult run : runs) {
            Result<?> time = run.getPrimaryResult();
            double named = Main.secondary(run, "pagesNamed");
            out.printf(
                    Locale.ROOT,
                    "%-20s %8s %-11s %-11s %9.1f %8.0f%% %17.2f %8.1f%%%n",
                    GranularityBenchmark.class.getSimpleName(),
                    run.getParams().getParam("unitKib"),
                    run.getParams().getParam("hugePages"),
                    run.getParams().getParam("order"),
                    time.getScore(),
                    100 * time.getScoreError() / time.getScore(),
                    CALLS_PER_PAGES * Main.secondary(run, "discardCalls") / named,
                    100 * Main.secondary(run, "pagesTaken") / named);
        }
    }
}
