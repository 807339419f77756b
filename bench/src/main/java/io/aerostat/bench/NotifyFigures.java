package io.aerostat.bench;

import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/**
 * What {@link NotifyBenchmark} measured of one kind of RAM.
 *
 * @param ram how the guest's RAM was held
 * @param exported whether the JVM had the export that opens raw addresses
 * @param ringsOnly whether the device looked at no page number
 * @param quickNs nanoseconds a request, of the quickest tenth of rounds the slowest
 * @param medianNs the same, the median of all rounds
 * @param bytes what the thread allocated for a request
 */
record NotifyFigures(
        RamKind ram,
        boolean exported,
        boolean ringsOnly,
        double quickNs,
        double medianNs,
        double bytes) {
    /** The export that opens raw addresses, as JMH hands it to a fork. */
    static final String EXPORT = "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED";

    private static final double QUICK_PERCENT = 10;
    private static final double MEDIAN_PERCENT = 50;

    static boolean isAbout(RunResult run) {
        return run.getParams().getBenchmark().startsWith(NotifyBenchmark.class.getName() + ".");
    }

    static NotifyFigures of(RunResult run) {
        Statistics times = run.getPrimaryResult().getStatistics();
        double requests = Main.secondary(run, "hotPathPages") / RequestRig.PAGES_PER_REQUEST;
        return new NotifyFigures(
                RamKind.valueOf(run.getParams().getParam("ram")),
                run.getParams().getJvmArgs().contains(EXPORT),
                run.getParams().getParam("device").equals(NotifyBenchmark.Device.SINK.name()),
                times.getPercentile(QUICK_PERCENT),
                times.getPercentile(MEDIAN_PERCENT),
                Main.secondary(run, "hotPathBytes") / requests);
    }
}
