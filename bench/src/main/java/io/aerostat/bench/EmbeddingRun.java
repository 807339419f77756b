package io.aerostat.bench;

import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Runs {@link NotifyBenchmark} twice, in JVMs with the export that opens raw addresses and in some
 * without, and puts the results side by side. Fails if flat RAM allocates.
 */
final class EmbeddingRun {
    private static final int FAILED = 1;
    private static final int WRONG = 2;
    private static final String QUICK = "--quick";

    private final boolean quick;
    private final List<String> commonJvmArguments;

    private EmbeddingRun(boolean quick, List<String> ownJvmArguments) {
        this.quick = quick;
        this.commonJvmArguments =
                ownJvmArguments.stream().filter(a -> !a.equals(NotifyFigures.EXPORT)).toList();
    }

    /**
     * Runs what the arguments say.
     *
     * @param arguments those after {@code --embedding}
     * @param raw where raw results go
     * @return the exit code: 0 all is well, 1 flat RAM allocates, 2 the arguments were wrong; each
     *     but 0 with a line on {@code err}
     */
    static int run(List<String> arguments, Path raw, PrintStream out, PrintStream err)
            throws RunnerException {
        List<String> unknown = arguments.stream().filter(a -> !a.equals(QUICK)).toList();
        if (!unknown.isEmpty()) {
            err.println(
                    "aerostat bench: --embedding takes --quick and nothing else; with JMH's"
                            + " arguments say `bench NotifyBenchmark ...`: given="
                            + String.join(" ", unknown));
            return WRONG;
        }
        List<String> ownJvmArguments = ManagementFactory.getRuntimeMXBean().getInputArguments();
        List<RunResult> results = new EmbeddingRun(!arguments.isEmpty(), ownJvmArguments).measure();
        ResultFormatFactory.getInstance(ResultFormatType.JSON, raw.toString()).writeOut(results);
        NotifySummary summary = new NotifySummary(results.stream().map(NotifyFigures::of).toList());
        summary.print(out);
        out.println("raw results: " + raw);
        return complain(summary.allocatingFlat(), err);
    }

    /** The exit code for these runs, which should not be there. */
    static int complain(List<NotifyFigures> allocating, PrintStream err) {
        for (NotifyFigures figures : allocating) {
            err.printf(
                    Locale.ROOT,
                    "aerostat bench: flat RAM must not allocate: ram=%s, export=%b, rings only=%b,"
                            + " bytes a request=%.4f%n",
                    figures.ram(),
                    figures.exported(),
                    figures.ringsOnly(),
                    figures.bytes());
        }
        return allocating.isEmpty() ? 0 : FAILED;
    }

    private List<RunResult> measure() throws RunnerException {
        List<String> withExport = new ArrayList<>(commonJvmArguments);
        withExport.add(NotifyFigures.EXPORT);
        List<RunResult> results = new ArrayList<>(run(withExport, EnumSet.allOf(RamKind.class)));
        Set<RamKind> withoutAddress = EnumSet.complementOf(EnumSet.of(RamKind.RAW_ADDRESS));
        results.addAll(run(commonJvmArguments, withoutAddress));
        return results;
    }

    private Collection<RunResult> run(List<String> jvmArguments, Set<RamKind> kinds)
            throws RunnerException {
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .include(Pattern.quote(NotifyBenchmark.class.getName()) + "\\..*")
                        .param("ram", kinds.stream().map(RamKind::name).toArray(String[]::new))
                        .jvmArgs(jvmArguments.toArray(String[]::new))
                        .shouldFailOnError(true);
        if (quick) {
            options.forks(1)
                    .warmupIterations(2)
                    .warmupTime(TimeValue.milliseconds(200))
                    .measurementIterations(5)
                    .measurementTime(TimeValue.milliseconds(200));
        }
        return new Runner(options.build()).run();
    }
}
