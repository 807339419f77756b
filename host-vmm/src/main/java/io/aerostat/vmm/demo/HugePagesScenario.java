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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The host's pages are larger than the balloon's. A host page goes back when its last 4 KiB enters
 * the balloon, though a request of 256 pages has no more than half a huge page; and breaks up when
 * one comes out. Told for units of 4 KiB to 2 MiB, and once without MUST_TELL_HOST, where only what
 * comes at once may be given back.
 */
final class HugePagesScenario {
    private static final int KIB = 10;
    private static final int LARGEST_KIB = 2048;
    private static final int[] UNITS_KIB = {4, 16, 64, LARGEST_KIB};

    /** Of the balloon, what may be parts of host pages of which the guest uses the rest. */
    private static final double INCOMPLETE_PART = 0.1;

    private static final double HOG_PART = 0.75;
    private static final double TARGET_PART = 0.25;
    private static final double HALF_WAY_PART = 0.55;
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
        List<Result> results = new ArrayList<>();
        for (int unitKib : UNITS_KIB) {
            results.add(runWith(unitKib, true));
        }
        results.add(runWith(LARGEST_KIB, false));
        telling.title(
                "Host pages of 4 KiB to 2 MiB: setmem "
                        + SizeText.of(plan.part(TARGET_PART).bytes())
                        + ", then "
                        + SizeText.of(plan.part(HALF_WAY_PART).bytes()));
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
        results.forEach(this::tell);
        results.forEach(this::check);
        return telling.allHeld();
    }

    /** What came of one unit. */
    private record Result(
            int unitKib,
            boolean mustTellHost,
            Sample full,
            Sample squeezed,
            long incompletePages,
            long completed,
            long brokenUp,
            long anomalies,
            boolean reached) {
        String name() {
            return unitKib + " KiB" + (mustTellHost ? "" : " without MUST_TELL_HOST");
        }
    }

    private Result runWith(int unitKib, boolean mustTellHost) throws IOException {
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
            boolean down = setMemory(machine, TARGET_PART);
            Sample squeezed = machine.sample();
            long incomplete = machine.balloon().incompletePages();
            long completed = machine.counter(BalloonCounter.HOST_PAGES_COMPLETED);
            if (mustTellHost && unitKib == LARGEST_KIB) {
                telling.tasks("squeezed, on host pages of 2 MiB", machine);
            }
            if (mustTellHost) {
                String key = unitKib + "KiB";
                figures.put("givenBackBytes" + key, full.resident() - squeezed.resident());
                figures.put("incompletePages" + key, incomplete);
                figures.put("discardCalls" + key, machine.balloon().reclaimer().discardCalls());
            }
            boolean up = setMemory(machine, HALF_WAY_PART);
            if (mustTellHost && unitKib == LARGEST_KIB) {
                telling.plot(machine, "A guest of 4 KiB pages on host pages of 2 MiB");
            }
            return new Result(
                    unitKib,
                    mustTellHost,
                    full,
                    squeezed,
                    incomplete,
                    completed,
                    machine.counter(BalloonCounter.HOST_PAGES_BROKEN_UP),
                    machine.balloon().counters().anomalies(),
                    down && up);
        }
    }

    private void tell(Result result) {
        out.printf(
                Locale.ROOT,
                "  %5d KiB %15s %12s %12s %11s %12d %12d%n",
                result.unitKib(),
                result.mustTellHost() ? "yes" : "no",
                SizeText.of(result.squeezed().balloon()),
                SizeText.of(result.full().resident() - result.squeezed().resident()),
                SizeText.of(SteppedMachine.bytes(result.incompletePages())),
                result.completed(),
                result.brokenUp());
    }

    private void check(Result result) {
        telling.checks().that(result.name() + ": both sizes were reached", result.reached());
        long incomplete = SteppedMachine.bytes(result.incompletePages());
        if (result.mustTellHost()) {
            telling.checks()
                    .that(
                            result.name() + ": nearly all of the balloon is whole host pages",
                            incomplete <= result.squeezed().balloon() * INCOMPLETE_PART);
            telling.checks()
                    .that(
                            result.name()
                                    + ": the host keeps the guest's size and what is incomplete",
                            result.squeezed().resident()
                                    <= plan.maximum().bytes()
                                            - result.squeezed().balloon()
                                            + incomplete);
        } else {
            telling.checks()
                    .equal(
                            result.name()
                                    + ": a request has less than a host page, so all of it stays",
                            incomplete,
                            result.squeezed().balloon());
        }
        telling.checks()
                .equal(result.name() + ": the guest did nothing odd", result.anomalies(), 0);
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

    /**
     * Makes pages resident, and frees them. All in one step: what others take in between would lie
     * scattered in the memory that is freed, and each such page keeps a host page from being whole.
     */
    private void fill(SteppedMachine machine) {
        MemoryHog hog =
                new MemoryHog(
                        machine.memory(),
                        machine.guest().tasks(),
                        "hog",
                        plan.pages(HOG_PART),
                        plan.pages(HOG_PART));
        machine.alongWithProcesses(hog::step);
        machine.runUntil(hog::hasAll, SECONDS);
        hog.exit();
    }

    /** Brings the guest to a size. Tells whether it got there. */
    private boolean setMemory(SteppedMachine machine, double part) {
        GuestSize size = plan.part(part);
        return machine.await(machine.ask(size, SECONDS), size, SECONDS)
                instanceof SetMemoryOutcome.Reached;
    }
}
