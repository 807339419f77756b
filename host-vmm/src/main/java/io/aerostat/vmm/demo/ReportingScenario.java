package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.balloon.DriverCounter;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.MemoryHog;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.report.Timeline.Sample;
import io.aerostat.vmm.vm.RamOptions;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.OptionalInt;

/**
 * A program uses much of the guest's memory and ends. The guest reports what is free, and the host
 * has it back within seconds: no target, no balloon, nothing taken from the guest.
 */
final class ReportingScenario {
    private static final double HOG_PART = 0.6;
    private static final double PROCESSES_PART = 0.1;
    private static final double RESERVE_PART = 0.02;

    /** Blocks of 128 KiB; with an order of 9, as Linux has it, less is found in a used guest. */
    private static final int REPORTING_ORDER = 5;

    private static final int HINTING_ORDER = 10;
    private static final int HOG_PAGES_PER_STEP = 256;
    private static final double HOG_SECONDS = 30;
    private static final double REPORT_SECONDS = 20;

    /** Small free blocks are not reported, and some free pages never are. */
    private static final double EXPECTED_PART = 0.8;

    private final ScenarioPlan plan;
    private final Figures figures;
    private final Telling telling;

    ReportingScenario(ScenarioPlan plan, Figures figures, PrintWriter out) {
        this.plan = plan;
        this.figures = figures;
        this.telling = new Telling(plan, out);
    }

    boolean run() throws IOException {
        try (SteppedMachine machine =
                new SteppedMachine(
                        plan.maximum(),
                        RamOptions.of(plan.backing()),
                        BalloonOptions.DEFAULT,
                        guest())) {
            machine.boot();
            MemoryHog hog = use(machine);
            Sample used = machine.sample();
            Sample reported = report(machine, hog, used);
            useAgain(machine, reported);
            telling.plot(machine, "A guest reports free memory to its host");
        }
        return telling.allHeld();
    }

    private GuestOptions guest() {
        int processPages = plan.pages(PROCESSES_PART);
        return new GuestOptions(
                MemoryOptions.DEFAULT.withSeed(plan.seed()),
                BalloonDriverOptions.DEFAULT.withFreePages(
                        new BalloonDriverOptions.FreePages(
                                OptionalInt.empty(),
                                REPORTING_ORDER,
                                HINTING_ORDER,
                                plan.pages(RESERVE_PART))),
                PressureOptions.DEFAULT
                        .withProcesses(2)
                        .withPages(processPages / 2, processPages / 4),
                plan.seed());
    }

    private MemoryHog use(SteppedMachine machine) {
        telling.title("1. A program uses " + percent(HOG_PART) + " of the guest's memory");
        machine.timeline().mark(machine.seconds(), "a program starts");
        MemoryHog hog = start(machine);
        machine.runUntil(hog::hasAll, HOG_SECONDS);
        telling.tasks("in use", machine);
        telling.figureHeads();
        telling.figures(machine.sample());
        return hog;
    }

    private MemoryHog start(SteppedMachine machine) {
        MemoryHog hog =
                new MemoryHog(
                        machine.memory(),
                        machine.guest().tasks(),
                        "hog",
                        plan.pages(HOG_PART),
                        HOG_PAGES_PER_STEP);
        machine.alongWithProcesses(hog::step);
        return hog;
    }

    private static String percent(double part) {
        return Math.round(part * 100) + " %";
    }

    private Sample report(SteppedMachine machine, MemoryHog hog, Sample used) {
        telling.title("2. It ends, and the guest reports what is free");
        machine.timeline().mark(machine.seconds(), "it ends");
        long before = machine.counter(BalloonCounter.BYTES_REPORTED);
        hog.exit();
        telling.figures(machine.sample());
        for (int i = 0; i < 4; i++) {
            machine.runFor(REPORT_SECONDS / 4);
            telling.figures(machine.sample());
        }
        telling.tasks("reported", machine);
        Sample after = machine.sample();
        long reported = machine.counter(BalloonCounter.BYTES_REPORTED) - before;
        long fallen = used.resident() - after.resident();
        long freed = SteppedMachine.bytes(plan.pages(HOG_PART));
        figures.put("residentBeforeBytes", used.resident());
        figures.put("residentAfterBytes", after.resident());
        figures.put("reportedBytes", reported);
        figures.put("reports", machine.counter(BalloonCounter.REPORTS));
        figures.put("discardCalls", machine.balloon().reclaimer().discardCalls());
        telling.say(
                "reported "
                        + SizeText.of(reported)
                        + " in "
                        + machine.counter(BalloonCounter.REPORTS)
                        + " reports; resident on the host fell by "
                        + SizeText.of(fallen));
        telling.checks()
                .that(
                        "most of what the program had is back with the host",
                        fallen >= EXPECTED_PART * freed);
        telling.checks().equal("the balloon is empty", machine.balloon().ledgerPages(), 0);
        telling.checks()
                .that(
                        "the guest has all of it free: " + SizeText.of(after.free()),
                        after.free() >= freed);
        telling.checks()
                .equal(
                        "guest and host agree on what was confirmed, in bytes",
                        SteppedMachine.bytes(
                                machine.guest()
                                        .driver()
                                        .counters()
                                        .get(DriverCounter.PAGES_REPORTED)),
                        machine.counter(BalloonCounter.BYTES_REPORTED));
        return after;
    }

    private void useAgain(SteppedMachine machine, Sample reported) {
        telling.title("3. Another program uses the memory again");
        machine.timeline().mark(machine.seconds(), "another program starts");
        MemoryHog hog = start(machine);
        boolean all = machine.runUntil(hog::hasAll, HOG_SECONDS);
        Sample after = machine.sample();
        telling.figureHeads();
        telling.figures(after);
        figures.put("residentRegrownBytes", after.resident() - reported.resident());
        telling.checks().that("it got all that it wanted", all);
        telling.checks().that("the host gave it memory", after.resident() > reported.resident());
        telling.checks()
                .equal(
                        "every page that a process read was what it had written",
                        machine.guest().processes().corruptedPages(),
                        0);
        telling.checks()
                .equal("the guest did nothing odd", machine.balloon().counters().anomalies(), 0);
    }
}
