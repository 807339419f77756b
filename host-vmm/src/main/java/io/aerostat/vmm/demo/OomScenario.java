package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.MemoryHog;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.RamOptions;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.IOException;
import java.io.PrintWriter;

/**
 * A guest without swap is squeezed, and then a program in it wants more than is left. With
 * DEFLATE_ON_OOM the guest takes pages back, and the host leaves it alone for a while; without, the
 * guest does what any does that is out of memory: it kills.
 */
final class OomScenario {
    private static final double TARGET_PART = 0.4;
    private static final double HOG_PART = 0.45;
    private static final double PROCESSES_PART = 0.12;
    private static final double FILES_PART = 0.1;
    private static final int FILES = 4;
    private static final int HOG_PAGES_PER_STEP = 64;
    private static final double USE_SECONDS = 10;
    private static final double DEADLINE_SECONDS = 30;
    private static final double SETTLE_SECONDS = 2;
    private static final double HOG_SECONDS = 8;
    private static final double RETURN_SECONDS = 30;

    private final ScenarioPlan plan;
    private final Figures figures;
    private final Telling telling;

    OomScenario(ScenarioPlan plan, Figures figures, PrintWriter out) {
        this.plan = plan;
        this.figures = figures;
        this.telling = new Telling(plan, out);
    }

    boolean run() throws IOException {
        telling.title("1. With DEFLATE_ON_OOM: autodeflate='on'");
        runWith(true);
        telling.title("2. Without: autodeflate='off'");
        runWith(false);
        return telling.allHeld();
    }

    private void runWith(boolean autodeflate) throws IOException {
        BalloonOptions balloon =
                autodeflate
                        ? BalloonOptions.DEFAULT.withFeatures(BalloonOptions.ALL_FEATURES)
                        : BalloonOptions.DEFAULT;
        try (SteppedMachine machine =
                new SteppedMachine(
                        plan.maximum(), RamOptions.of(plan.backing()), balloon, guest())) {
            machine.boot();
            machine.runFor(USE_SECONDS);
            squeeze(machine);
            MemoryHog hog = grow(machine);
            if (autodeflate) {
                checkTakenBack(machine, hog);
                comeBack(machine, hog);
                telling.plot(machine, "A guest runs out of memory and takes some back");
            } else {
                checkKilled(machine, hog);
            }
            telling.checks()
                    .equal(
                            "every page that a process read was what it had written",
                            machine.guest().processes().corruptedPages(),
                            0);
            telling.checks()
                    .equal(
                            "the guest did nothing odd",
                            machine.balloon().counters().anomalies(),
                            0);
        }
    }

    private GuestOptions guest() {
        int processPages = plan.pages(PROCESSES_PART);
        return new GuestOptions(
                MemoryOptions.DEFAULT
                        .withFiles(FILES, plan.pages(FILES_PART) / FILES)
                        .withSeed(plan.seed()),
                BalloonDriverOptions.DEFAULT.withFeatures(BalloonOptions.ALL_FEATURES),
                PressureOptions.DEFAULT
                        .withProcesses(2)
                        .withPages(processPages / 2, processPages / 4),
                plan.seed());
    }

    private void squeeze(SteppedMachine machine) {
        GuestSize target = plan.part(TARGET_PART);
        telling.say("setmem " + SizeText.of(target.bytes()) + " of " + size());
        machine.timeline().mark(machine.seconds(), "setmem " + SizeText.of(target.bytes()));
        SetMemoryOutcome outcome =
                machine.await(machine.ask(target, DEADLINE_SECONDS), target, DEADLINE_SECONDS);
        telling.outcome(outcome);
        telling.checks().that("the size was reached", outcome instanceof SetMemoryOutcome.Reached);
        // Pages that come out just after a new target may have been on their way for an old one:
        // the device does not take them for need.
        machine.runFor(SETTLE_SECONDS);
        telling.tasks("squeezed", machine);
        telling.figureHeads();
        telling.figures(machine.sample());
    }

    private String size() {
        return SizeText.of(plan.maximum().bytes());
    }

    private MemoryHog grow(SteppedMachine machine) {
        int pages = plan.pages(HOG_PART);
        telling.say(
                "guest: a program starts that wants " + SizeText.of(SteppedMachine.bytes(pages)));
        machine.timeline().mark(machine.seconds(), "a program wants more than there is");
        MemoryHog hog =
                new MemoryHog(
                        machine.memory(),
                        machine.guest().tasks(),
                        "hog",
                        pages,
                        HOG_PAGES_PER_STEP);
        machine.alongWithProcesses(hog::step);
        machine.runUntil(() -> hog.hasAll() || hog.isKilled(), HOG_SECONDS);
        telling.tasks("out of memory", machine);
        telling.figures(machine.sample());
        return hog;
    }

    private void checkTakenBack(SteppedMachine machine, MemoryHog hog) {
        long takenBack = machine.counter(BalloonCounter.PAGES_TAKEN_BACK);
        long kills = count(machine, VmCounter.OOM_KILL);
        figures.put("pagesTakenBack", takenBack);
        figures.put("killsWithDeflateOnOom", kills);
        telling.checks().that("the program got all that it wanted", hog.hasAll());
        telling.checks().equal("nobody was killed", kills, 0);
        telling.checks()
                .that(
                        "the host saw it: "
                                + takenBack
                                + " pages taken back, the balloon is below its target",
                        takenBack > 0
                                && machine.balloon().ledgerPages() < plan.pages(1 - TARGET_PART));
        telling.checks()
                .that(
                        "and leaves the guest alone: it asks for "
                                + machine.balloon().targetPages()
                                + " pages now",
                        machine.balloon().targetPages() < plan.pages(1 - TARGET_PART));
    }

    private void comeBack(SteppedMachine machine, MemoryHog hog) {
        telling.say("guest: the program ends");
        machine.timeline().mark(machine.seconds(), "the program ends");
        hog.exit();
        GuestSize target = plan.part(TARGET_PART);
        long wanted = target.balloonWithin(plan.maximum()).pages();
        boolean back =
                machine.runUntil(() -> machine.balloon().ledgerPages() == wanted, RETURN_SECONDS);
        machine.timeline().mark(machine.seconds(), "the target is reached again");
        machine.runFor(2);
        telling.figures(machine.sample());
        telling.checks().that("after a while the host has what it asked for again", back);
    }

    private void checkKilled(SteppedMachine machine, MemoryHog hog) {
        long kills = count(machine, VmCounter.OOM_KILL);
        figures.put("killsWithoutDeflateOnOom", kills);
        telling.checks().that("the guest reported out of memory and killed a process", kills > 0);
        telling.checks().that("it was the largest", hog.isKilled());
        telling.checks()
                .equal(
                        "the balloon stayed as it was",
                        machine.balloon().ledgerPages(),
                        plan.part(TARGET_PART).balloonWithin(plan.maximum()).pages());
    }

    private static long count(SteppedMachine machine, VmCounter counter) {
        return machine.memory().counters().get(counter);
    }
}
