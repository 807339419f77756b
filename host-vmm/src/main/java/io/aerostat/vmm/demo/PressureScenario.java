package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.monitor.message.OutcomeJson;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.report.Timeline.Sample;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.RamOptions;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * A guest is squeezed slowly below what it uses. First its free memory goes, then what it has
 * cached, then its processes are swapped out and wait for the disk. It gets its memory back, and
 * recovers.
 */
final class PressureScenario {
    private static final int PROCESSES = 6;
    private static final int FILES = 8;
    private static final double FILES_PART = 0.3;
    private static final double PROCESSES_PART = 0.6;
    private static final double HOT_PART = 0.15;
    private static final int ACCESSES_PER_STEP = 64;
    private static final int BACKGROUND_PAGES_PER_STEP = 256;
    private static final long DISK_NS = 1_000_000;
    private static final long PAUSE_NS = 100_000_000;
    private static final double SWAP_PART = 0.5;
    private static final double TARGET_PART = 0.1875;
    private static final double USE_SECONDS = 30;
    private static final double SQUEEZE_SECONDS = 16;
    private static final double SUFFER_SECONDS = 20;
    private static final double RECOVER_SECONDS = 30;
    private static final double DEADLINE_SECONDS = 60;
    private static final double LINE_SECONDS = 4;

    /** Cache has fallen, swap has grown, by more than chance. */
    private static final double NOTICEABLE = 0.01;

    private final ScenarioPlan plan;
    private final Figures figures;
    private final Telling telling;

    PressureScenario(ScenarioPlan plan, Figures figures, PrintWriter out) {
        this.plan = plan;
        this.figures = figures;
        this.telling = new Telling(plan, out);
    }

    boolean run() throws IOException {
        long rate = (long) (plan.pages(1 - TARGET_PART) / SQUEEZE_SECONDS);
        BalloonOptions balloon = BalloonOptions.DEFAULT.withPagesPerSecond(rate);
        try (SteppedMachine machine =
                new SteppedMachine(
                        plan.maximum(), RamOptions.of(plan.backing()), balloon, guest())) {
            machine.boot();
            use(machine);
            squeeze(machine, rate);
            recover(machine);
            summarize(machine);
            telling.plot(machine, "A guest of " + size() + " is squeezed, and recovers");
        }
        return telling.allHeld();
    }

    private GuestOptions guest() {
        int pagesPerProcess = plan.pages(PROCESSES_PART) / PROCESSES;
        int hotPages = plan.pages(HOT_PART) / PROCESSES;
        return new GuestOptions(
                MemoryOptions.DEFAULT
                        .withFiles(FILES, plan.pages(FILES_PART) / FILES)
                        .withSwapPages(plan.pages(SWAP_PART))
                        .withSeed(plan.seed()),
                BalloonDriverOptions.DEFAULT,
                new PressureOptions(
                        PROCESSES,
                        pagesPerProcess,
                        hotPages,
                        ACCESSES_PER_STEP,
                        DISK_NS,
                        PAUSE_NS,
                        BACKGROUND_PAGES_PER_STEP),
                plan.seed());
    }

    private String size() {
        return SizeText.of(plan.maximum().bytes());
    }

    private void use(SteppedMachine machine) {
        telling.title("1. Six processes use a guest of " + size());
        telling.figureHeads();
        tellFor(machine, USE_SECONDS);
        telling.tasks("before", machine);
        telling.statistics(machine.statistics());
    }

    private void tellFor(SteppedMachine machine, double seconds) {
        double end = machine.seconds() + seconds;
        while (machine.seconds() < end) {
            machine.runFor(Math.min(LINE_SECONDS, end - machine.seconds()));
            telling.figures(machine.timeline().samples().getLast());
        }
    }

    private void squeeze(SteppedMachine machine, long rate) {
        GuestSize target = plan.part(TARGET_PART);
        telling.title(
                "2. setmem "
                        + SizeText.of(target.bytes())
                        + ", no faster than "
                        + SizeText.of(SteppedMachine.bytes(rate))
                        + "/s");
        machine.timeline().mark(machine.seconds(), "setmem " + SizeText.of(target.bytes()));
        Sample before = machine.sample();
        figures.put("residentBeforeBytes", before.resident());
        figures.put("guestFreeBeforeBytes", before.free());
        telling.figureHeads();
        CompletableFuture<SetMemoryOutcome> asked = machine.ask(target, DEADLINE_SECONDS);
        tellFor(machine, SQUEEZE_SECONDS * 0.9);
        telling.tasks("during", machine);
        SetMemoryOutcome outcome = machine.await(asked, target, DEADLINE_SECONDS);
        telling.outcome(outcome);
        figures.put("outcome", OutcomeJson.nameOf(outcome));
        machine.timeline().mark(machine.seconds(), "reached");
        tellFor(machine, SUFFER_SECONDS);
        telling.tasks("after", machine);
        Sample after = machine.sample();
        GuestStatistics statistics = machine.statistics();
        telling.statistics(statistics);
        figures.put("residentAfterBytes", after.resident());
        figures.put("guestFreeAfterBytes", after.free());
        figures.put("swapUsedBytes", after.swap());
        checkSqueeze(machine, before, after, outcome, statistics);
    }

    private void checkSqueeze(
            SteppedMachine machine,
            Sample before,
            Sample after,
            SetMemoryOutcome outcome,
            GuestStatistics statistics) {
        telling.checks().that("the size was reached", outcome instanceof SetMemoryOutcome.Reached);
        double margin = NOTICEABLE * plan.maximum().bytes();
        double freeGone = firstAfter(machine, before, s -> s.free() < before.free() - margin);
        double cacheGone = firstAfter(machine, before, s -> s.cache() < before.cache() - margin);
        double swapped = firstAfter(machine, before, s -> s.swap() > before.swap() + margin);
        telling.checks()
                .that(
                        String.format(
                                Locale.ROOT,
                                "free memory went first (%s), then cache (%s), then swap filled"
                                        + " (%s)",
                                when(freeGone),
                                when(cacheGone),
                                when(swapped)),
                        freeGone < cacheGone && cacheGone < swapped && swapped < Double.MAX_VALUE);
        telling.checks()
                .that(
                        "the host has no more in memory than the guest's size",
                        after.resident() <= plan.maximum().bytes() - after.balloon());
        telling.checks()
                .equal(
                        "nothing in its statistics contradicts what the host's kernel says",
                        machine.vm().contradictionsIn(statistics).size(),
                        0);
        telling.checks()
                .equal(
                        "the guest's statistics are its own figures: free bytes",
                        statistics.value(StatTag.MEMFREE).orElse(-1),
                        SteppedMachine.bytes(machine.memory().freePages()));
        telling.checks()
                .equal(
                        "and bytes swapped out",
                        statistics.value(StatTag.SWAP_OUT).orElse(-1),
                        SteppedMachine.bytes(count(machine, VmCounter.PSWPOUT)));
    }

    private static String when(double seconds) {
        return seconds == Double.MAX_VALUE
                ? "never"
                : String.format(Locale.ROOT, "%.1f s", seconds);
    }

    private static double firstAfter(
            SteppedMachine machine, Sample start, Predicate<Sample> condition) {
        return machine.timeline().samples().stream()
                .filter(sample -> sample.seconds() > start.seconds())
                .filter(condition)
                .mapToDouble(Sample::seconds)
                .findFirst()
                .orElse(Double.MAX_VALUE);
    }

    private void recover(SteppedMachine machine) {
        telling.title("3. setmem " + size() + ": the guest gets it back");
        machine.timeline().mark(machine.seconds(), "setmem " + size());
        long majorFaults = count(machine, VmCounter.PGMAJFAULT);
        Sample before = machine.sample();
        telling.figureHeads();
        SetMemoryOutcome outcome =
                machine.await(
                        machine.ask(plan.maximum(), DEADLINE_SECONDS),
                        plan.maximum(),
                        DEADLINE_SECONDS);
        telling.outcome(outcome);
        tellFor(machine, RECOVER_SECONDS);
        telling.tasks("recovered", machine);
        Sample after = machine.sample();
        figures.put("residentRegrownBytes", after.resident() - before.resident());
        telling.checks()
                .that(
                        "swapped pages came back: " + SizeText.of(before.swap() - after.swap()),
                        after.swap() < before.swap());
        telling.checks()
                .that(
                        "with major faults: "
                                + (count(machine, VmCounter.PGMAJFAULT) - majorFaults),
                        count(machine, VmCounter.PGMAJFAULT) > majorFaults);
        telling.checks().that("the guest has free memory again", after.free() > before.free());
    }

    private void summarize(SteppedMachine machine) {
        telling.title("4. Summary");
        for (VmCounter counter :
                new VmCounter[] {
                    VmCounter.PSWPIN,
                    VmCounter.PSWPOUT,
                    VmCounter.PGFAULT,
                    VmCounter.PGMAJFAULT,
                    VmCounter.PGSTEAL_KSWAPD,
                    VmCounter.PGSTEAL_DIRECT,
                    VmCounter.ALLOCSTALL_NORMAL,
                    VmCounter.OOM_KILL
                }) {
            figures.put(counter.vmstatName(), count(machine, counter));
            telling.say(
                    String.format(
                            Locale.ROOT,
                            "  %-18s %,12d",
                            counter.vmstatName(),
                            count(machine, counter)));
        }
        telling.checks().equal("no process was killed", count(machine, VmCounter.OOM_KILL), 0);
        telling.checks()
                .equal(
                        "every page that a process read was what it had written",
                        machine.guest().processes().corruptedPages(),
                        0);
        telling.checks()
                .equal("the guest did nothing odd", machine.balloon().counters().anomalies(), 0);
    }

    private static long count(SteppedMachine machine, VmCounter counter) {
        return machine.memory().counters().get(counter);
    }
}
