package io.aerostat.bench;

import io.aerostat.bench.linux.LinuxBenchmark;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Runs the benchmarks with the allocation profiler, keeps the raw results as JSON under the build
 * folder, and sums up.
 *
 * <p>{@code --quick}: one fork, short iterations and of the units the smallest and the largest, for
 * a look. {@code --linux}: a real guest instead, see {@link LinuxBenchmark}. {@code --embedding}:
 * what an emulator waits for, see {@link EmbeddingRun}. All other arguments are JMH's.
 */
public final class Main {
    private static final String QUICK = "--quick";
    private static final String LINUX = "--linux";
    private static final String EMBEDDING = "--embedding";
    private static final String PEER = "peers/vhost_balloon.py";
    private static final String UNITS = "unitKib";
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

    private Main() {}

    /** Runs what the arguments say. */
    public static void main(String[] arguments)
            throws IOException, RunnerException, URISyntaxException, InterruptedException {
        List<String> rest = new ArrayList<>(Arrays.asList(arguments));
        if (rest.remove(LINUX)) {
            Path raw = resultFile("linux");
            System.exit(LinuxBenchmark.run(rest, peer(), raw, System.out, System.err));
            return;
        }
        if (rest.remove(EMBEDDING)) {
            Path raw = resultFile("embedding");
            System.exit(EmbeddingRun.run(rest, raw, System.out, System.err));
            return;
        }
        boolean quick = rest.remove(QUICK);
        CommandLineOptions given;
        try {
            given = new CommandLineOptions(rest.toArray(String[]::new));
        } catch (CommandLineOptionException e) {
            System.err.println("aerostat bench: " + e.getMessage() + "; see ./aerostat bench -h");
            System.exit(2);
            return;
        }
        if (given.shouldHelp()) {
            System.out.println("./aerostat bench [--quick] [JMH ARGUMENT...]");
            System.out.println("./aerostat bench --linux [--quick]");
            System.out.println("./aerostat bench --embedding [--quick]");
            given.showHelp();
            return;
        }
        if (given.shouldList()) {
            new Runner(given).list();
            return;
        }
        Path raw = resultFile("bench");
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .parent(given)
                        .addProfiler(GCProfiler.class)
                        .shouldFailOnError(true)
                        .resultFormat(ResultFormatType.JSON)
                        .result(raw.toString());
        if (quick) {
            options.forks(1)
                    .warmupIterations(3)
                    .warmupTime(TimeValue.milliseconds(300))
                    .measurementIterations(5)
                    .measurementTime(TimeValue.milliseconds(300));
            if (!given.getParameter(UNITS).hasValue()) {
                options.param(UNITS, "4", "2048");
            }
        }
        Collection<RunResult> results = new Runner(options.build()).run();
        summarizeEach(results);
        System.out.println("raw results: " + raw);
    }

    /** Benchmarks that ask something else have a table of their own. */
    private static void summarizeEach(Collection<RunResult> results) {
        List<RunResult> granularity = results.stream().filter(GranularitySummary::isAbout).toList();
        List<RunResult> notify = results.stream().filter(NotifyFigures::isAbout).toList();
        List<RunResult> others = new ArrayList<>(results);
        others.removeAll(granularity);
        others.removeAll(notify);
        summarize(others);
        GranularitySummary.print(granularity, System.out);
        new NotifySummary(notify.stream().map(NotifyFigures::of).toList()).print(System.out);
    }

    /** Beside the jar, in the build folder. */
    private static Path resultFile(String kind) throws IOException, URISyntaxException {
        Path folder = jar().resolveSibling("results");
        Files.createDirectories(folder);
        String time = ZonedDateTime.now(ZoneId.systemDefault()).format(STAMP);
        return folder.resolve(kind + "-" + time + ".json");
    }

    /** Among the sources, which the build folder lies in. */
    private static Path peer() throws URISyntaxException {
        return jar().resolveSibling("..").resolve(PEER).normalize();
    }

    private static Path jar() throws URISyntaxException {
        return Path.of(Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static void summarize(List<RunResult> results) {
        if (results.isEmpty()) {
            return;
        }
        System.out.printf(
                Locale.ROOT,
                "%n%-20s %-10s %-11s %15s %10s %9s%n",
                "benchmark",
                "stage",
                "order",
                "pages/s",
                "+-",
                "B/page");
        for (RunResult run : results) {
            String name = run.getParams().getBenchmark();
            Result<?> primary = run.getPrimaryResult();
            System.out.printf(
                    Locale.ROOT,
                    "%-20s %-10s %-11s %,15.0f %9.0f%% %9.4f%n",
                    shortName(name),
                    parameter(run, "stage"),
                    parameter(run, "order"),
                    primary.getScore(),
                    100 * primary.getScoreError() / primary.getScore(),
                    bytesPerPage(run));
        }
    }

    /** The class of a benchmark method. */
    private static String shortName(String method) {
        String type = method.substring(0, method.lastIndexOf('.'));
        return type.substring(type.lastIndexOf('.') + 1);
    }

    /** Of the hot path alone where the benchmark counts it, otherwise of all by JMH's profiler. */
    private static double bytesPerPage(RunResult run) {
        double bytes = secondary(run, "hotPathBytes");
        return Double.isNaN(bytes)
                ? secondary(run, "gc.alloc.rate.norm")
                : bytes / secondary(run, "hotPathPages");
    }

    /** A secondary result's score, NaN if the benchmark has none of that name. */
    static double secondary(RunResult run, String name) {
        Result<?> result = run.getSecondaryResults().get(name);
        return result == null ? Double.NaN : result.getScore();
    }

    private static String parameter(RunResult run, String name) {
        String value = run.getParams().getParam(name);
        return value == null ? "-" : value;
    }
}
