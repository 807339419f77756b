package io.aerostat.vmm.demo;

import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.vmm.report.Checks;
import io.aerostat.vmm.report.OutcomeText;
import io.aerostat.vmm.report.StatisticsTable;
import io.aerostat.vmm.report.Timeline;
import io.aerostat.vmm.report.TimelinePlot;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * How the scenarios are told: titles, a line of figures now and then, tasks, statistics, checks.
 */
final class Telling {
    private final ScenarioPlan plan;
    private final PrintWriter out;
    private final Checks checks;

    Telling(ScenarioPlan plan, PrintWriter out) {
        this.plan = plan;
        this.out = out;
        this.checks = new Checks(out);
    }

    Checks checks() {
        return checks;
    }

    void title(String text) {
        out.println();
        out.println("== " + text);
    }

    void say(String text) {
        out.println(text);
    }

    void figureHeads() {
        out.printf(
                Locale.ROOT,
                "  %8s %9s %9s %9s %9s %9s %9s   MiB%n",
                "time",
                "balloon",
                "free",
                "cache",
                "processes",
                "swap",
                "resident");
    }

    void figures(Timeline.Sample sample) {
        out.printf(
                Locale.ROOT,
                "  %7.1fs %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f%n",
                sample.seconds(),
                mib(sample.balloon()),
                mib(sample.free()),
                mib(sample.cache()),
                mib(sample.anonymous()),
                mib(sample.swap()),
                mib(sample.resident()));
    }

    private static double mib(long bytes) {
        return bytes / (double) (1 << 20);
    }

    void tasks(String when, SteppedMachine machine) {
        if (plan.showTasks()) {
            out.println("guest$ ps -eo pid,stat,comm,wchan      # " + when);
            out.print(machine.guest().ps().indent(2));
        }
    }

    void statistics(GuestStatistics figures) {
        out.println("host:  dommemstat, as the guest says");
        out.print(StatisticsTable.of(figures));
    }

    void outcome(SetMemoryOutcome outcome) {
        out.println("setmem: " + OutcomeText.of(outcome));
    }

    /** Draws the machine's timeline, if a picture is wanted. */
    void plot(SteppedMachine machine, String title) throws IOException {
        if (plan.plot().isPresent()) {
            machine.sample();
            TimelinePlot.write(machine.timeline(), title, plan.plot().get());
            out.println("picture: " + plan.plot().get());
        }
    }

    boolean allHeld() {
        return checks.allHeld();
    }
}
