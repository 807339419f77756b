package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.MemoryHog;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.memory.backend.HugePages;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.report.Timeline.Sample;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.RamOptions;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * The host's pages are larger than the balloon's. A host page goes back when its last 4 KiB enters
 * the balloon, though a request of 256 pages has no more than half a huge page; and breaks up when
 * one comes out. Told for units of 4 KiB to 2 MiB, and once without MUST_TELL_HOST, where only what
 * comes at once may be given back.
 */
final class HugePagesScenario {
    private static final int KIB = 10;
    private static final int[] UNITS_KIB = {4, 16, 64, 2048};
    private static final double HOG_PART = 0.75;
    private static final double TARGET_PART = 0.25;
    private static final double HALF_WAY_PART = 0.55;
    private static final int HOG_PAGES_PER_STEP = 512;
    private static final double SECONDS = 30;

    /** A step ends with what is in flight: so little that a huge page never comes in one pass. */
    private static final BalloonDriverOptions.Requests ONE_AT_A_TIME =
            new BalloonDriverOptions.Requests(128, 1, 256);

    private final ScenarioPlan plan;
    private final Figures figures;
    private final Telling telling;
    private final PrintWriter out;

    HugePagesScenario(ScenarioPlan plan, Figures figures, PrintWriter out) {
        this.plan = plan;
        this.figures = figures;
        this.out = out;
        this.telling = new Telling(plan, out);
    }

    boolean run() throws IOException {
        telling.title(
                "Inflate to " + SizeText.of(plan.part(TARGET_PART).bytes()) + ", deflate half");
        out.printf(
                Locale.ROOT,
                "  %8s %15s %12s %12s %11s %12s %12s%n",
                "unit",
                "MUST_TELL_HOST",
                "in balloon",
                "given back",
                "incomplete",
                "host pages",
                "broken up");
        for (int unitKib : UNITS_KIB) {
            runWith(unitKib, true);
        }
        runWith(UNITS_KIB[UNITS_KIB.length - 1], false);
        return telling.allHeld();
    }

    private void runWith(int unitKib, boolean mustTellHost) throws IOException {
        BalloonOptions balloon =
                mustTellHost
                        ? BalloonOptions.DEFAULT
                        : BalloonOptions.DEFAULT.withFeatures(
                                BalloonOptions.DEFAULT.features() & ~BalloonFeature.MUST_TELL_HOST);
        // Small pages behind it, so that the kernel's word is exact for each.
        RamOptions ram = new RamOptions(plan.backing(), HugePages.NEVER, unitKib << KIB);
        try (SteppedMachine machine = new SteppedMachine(plan.maximum(), ram, balloon, guest())) {
            machine.boot();
            fill(machine);
            Sample full = machine.sample();
            SetMemoryOutcome down = setMemory(machine, TARGET_PART);
            Sample squeezed = machine.sample();
            long incomplete = machine.balloon().incompletePages();
            long completed = machine.counter(BalloonCounter.HOST_PAGES_COMPLETED);
            SetMemoryOutcome up = setMemory(machine, HALF_WAY_PART);
            out.printf(
                    Locale.ROOT,
                    "  %5d KiB %15s %12s %12s %11s %12d %12d%n",
                    unitKib,
                    mustTellHost ? "yes" : "no",
                    SizeText.of(squeezed.balloon()),
                    SizeText.of(full.resident() - squeezed.resident()),
                    SizeText.of(SteppedMachine.bytes(incomplete)),
                    completed,
                    machine.counter(BalloonCounter.HOST_PAGES_BROKEN_UP));
            check(machine, unitKib, mustTellHost, incomplete, squeezed);
            telling.checks()
                    .that(
                            "both sizes were reached",
                            down instanceof SetMemoryOutcome.Reached
                                    && up instanceof SetMemoryOutcome.Reached);
            if (mustTellHost) {
                figures.put("completedHostPages" + unitKib + "KiB", completed);
                figures.put(
                        "discardCalls" + unitKib + "KiB",
                        machine.balloon().reclaimer().discardCalls());
                telling.plot(machine, "Host pages of " + unitKib + " KiB");
            }
        }
    }

    private GuestOptions guest() {
        return new GuestOptions(
                MemoryOptions.DEFAULT.withSeed(plan.seed()),
                BalloonDriverOptions.DEFAULT
                        .withRequests(ONE_AT_A_TIME)
                        .withFeatures(BalloonFeature.MUST_TELL_HOST | BalloonFeature.STATS_VQ),
                PressureOptions.DEFAULT.withProcesses(1).withPages(plan.pages(0.02), 1),
                plan.seed());
    }

    /** Makes pages resident, and frees them. */
    private void fill(SteppedMachine machine) {
        MemoryHog hog =
                new MemoryHog(
                        machine.memory(),
                        machine.guest().tasks(),
                        "hog",
                        plan.pages(HOG_PART),
                        HOG_PAGES_PER_STEP);
        machine.alongWithProcesses(hog::step);
        machine.runUntil(hog::hasAll, SECONDS);
        hog.exit();
    }

    private SetMemoryOutcome setMemory(SteppedMachine machine, double part) {
        GuestSize size = plan.part(part);
        return machine.await(machine.ask(size, SECONDS), size, SECONDS);
    }

    private void check(
            SteppedMachine machine,
            int unitKib,
            boolean mustTellHost,
            long incomplete,
            Sample squeezed) {
        int unitPages = (unitKib << KIB) / 4096;
        if (mustTellHost) {
            telling.checks()
                    .that(
                            "nearly all of the balloon is whole host pages",
                            incomplete <= squeezed.balloon() / 4096 / 50);
            telling.checks()
                    .that(
                            "the host has no more in memory than the guest's size and what is"
                                    + " incomplete",
                            squeezed.resident()
                                    <= plan.maximum().bytes()
                                            - squeezed.balloon()
                                            + SteppedMachine.bytes(incomplete));
        } else {
            telling.checks()
                    .that(
                            "a request has less than a host page: without MUST_TELL_HOST it all"
                                    + " stays",
                            unitPages > 256 && incomplete == squeezed.balloon() / 4096);
        }
        telling.checks()
                .equal("the guest did nothing odd", machine.balloon().counters().anomalies(), 0);
    }
}
