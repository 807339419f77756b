package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.guest.FreeMemory;
import io.aerostat.vmm.guest.InProcessGuest;
import io.aerostat.vmm.monitor.message.OutcomeJson;
import io.aerostat.vmm.report.Checks;
import io.aerostat.vmm.report.DomainXml;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.FreeTable;
import io.aerostat.vmm.report.HostMemory;
import io.aerostat.vmm.report.OutcomeText;
import io.aerostat.vmm.report.ResidentPages;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.vm.Backing;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.VirtualMachine;

import org.jspecify.annotations.Nullable;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * The whole story, with real figures: a guest boots and uses its memory, the host takes some of it
 * back, the guest's own pages are intact, the host returns it, the guest uses it again.
 *
 * <p>What is resident is always the kernel's word about the guest's RAM, never a count of ours; the
 * two must agree, and each such check is told.
 */
public final class Demo {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private final DemoPlan plan;
    private final Figures figures;
    private final PrintWriter out;
    private final Checks checks;

    /** A story that is told to {@code out}. */
    public Demo(DemoPlan plan, Figures figures, PrintWriter out) {
        this.plan = plan;
        this.figures = figures;
        this.out = out;
        this.checks = new Checks(out);
    }

    /** Tells it. True if every check held. */
    public boolean run() throws InterruptedException, ExecutionException, TimeoutException {
        InProcessGuest.Interrupts interrupts = new InProcessGuest.Interrupts();
        try (VirtualMachine vm = VirtualMachine.start(plan.vmOptions(), interrupts);
                InProcessGuest guest =
                        new InProcessGuest(
                                vm.memory(),
                                vm.balloonWindow(),
                                interrupts,
                                BalloonDriverOptions.DEFAULT,
                                plan.seed(),
                                System::nanoTime)) {
            guest.start();
            describe(vm);
            boot(guest);
            useMemory(vm, guest);
            if (vm.balloon().isPresent()) {
                squeeze(vm, vm.balloon().get(), guest);
                release(vm, vm.balloon().get(), guest);
                summarize(vm, vm.balloon().get());
            } else {
                refuse(vm);
            }
        }
        figures.put("allChecksHeld", checks.allHeld());
        out.flush();
        return checks.allHeld();
    }

    private void describe(VirtualMachine vm) {
        MemoryBackend backend = vm.backend();
        title("1. A virtual machine with a fixed maximum");
        out.println(DomainXml.of(vm).text());
        out.println("RAM: " + backend.backing() + ", given back by " + backend.reclaimerName());
        if (Backing.preferred() == Backing.SIMULATED) {
            out.println("This platform has no native reclaim: all figures are of a simulation.");
        }
        figures.put("memoryBytes", plan.maximum().bytes());
        figures.put("targetBytes", plan.target().bytes());
        figures.put("backing", backend.backing());
        figures.put("reclaimer", backend.reclaimerName());
    }

    private void boot(InProcessGuest guest)
            throws InterruptedException, ExecutionException, TimeoutException {
        title("2. The guest boots and uses its memory");
        HandshakeFailure failure = await(guest.boot());
        if (failure != null) {
            throw new IllegalStateException(
                    "the guest's balloon driver did not start: " + failure.description());
        }
        boolean driver = on(guest, g -> g.driver().map(BalloonDriver::state).isPresent());
        out.println(
                driver
                        ? "guest: virtio_balloon is up (DRIVER_OK)"
                        : "guest: no balloon device found");
    }

    private void useMemory(VirtualMachine vm, InProcessGuest guest)
            throws InterruptedException, ExecutionException, TimeoutException {
        long written = on(guest, g -> g.workload().grow(plan.pagesToWrite()));
        long freed =
                on(
                        guest,
                        g ->
                                g.workload()
                                        .shrink(
                                                written - plan.pagesToKeep(),
                                                plan.freedRunPages()));
        out.println(
                "guest: wrote "
                        + size(written)
                        + " with known contents, then freed "
                        + size(freed)
                        + " of it");
        FreeMemory free = on(guest, InProcessGuest::free);
        figures.put("guestFreeBeforeBytes", free.free());
        out.println("guest$ free");
        out.println(FreeTable.of(free));
        out.println(
                "host:  resident "
                        + SizeText.of(vm.backend().residentBytes())
                        + " of the guest's RAM");
    }

    private void refuse(VirtualMachine vm)
            throws InterruptedException, ExecutionException, TimeoutException {
        title("3. setmem " + SizeText.of(plan.target().bytes()));
        SetMemoryOutcome outcome = await(vm.setMemory(plan.target(), DEADLINE));
        tellOutcome(outcome);
        figures.put("outcome", OutcomeJson.nameOf(outcome));
    }

    private void squeeze(VirtualMachine vm, BalloonDevice balloon, InProcessGuest guest)
            throws InterruptedException, ExecutionException, TimeoutException {
        title("3. setmem " + SizeText.of(plan.target().bytes()));
        ResidentPages before = ResidentPages.of(vm.backend());
        long residentBefore = vm.backend().residentBytes();
        long startNs = System.nanoTime();
        SetMemoryOutcome outcome = setMemory(vm, balloon, plan.target());
        long elapsedNs = System.nanoTime() - startNs;
        long inflated = balloon.counters().get(BalloonCounter.PAGES_INFLATED);
        FreeMemory free = on(guest, InProcessGuest::free);
        out.println("guest$ free");
        out.println(FreeTable.of(free));
        out.println("virsh: currentMemory " + (vm.currentMemory().bytes() >> 10) + " KiB");
        long residentAfter = vm.backend().residentBytes();
        ResidentPages after = ResidentPages.of(vm.backend());
        out.println(
                "host:  resident "
                        + SizeText.of(residentBefore)
                        + " -> "
                        + SizeText.of(residentAfter)
                        + " of the guest's RAM");
        long dropped = residentBefore - residentAfter;
        long residentAndInflated = before.bytesIn(await(vm.balloonedPages()));
        long verified = await(vm.verifiedBytes());

        figures.put("outcome", OutcomeJson.nameOf(outcome));
        figures.put("pagesInflated", inflated);
        figures.put("pagesPerSecond", Math.round(inflated * 1e9 / elapsedNs));
        figures.put("residentBeforeBytes", residentBefore);
        figures.put("residentAfterBytes", residentAfter);
        figures.put("guestFreeAfterBytes", free.free());
        figures.put("bytesVerified", verified);
        if (plan.backing() != Backing.SIMULATED) {
            // A simulation has no kernel: there a page is resident when a byte of it is not zero.
            checks.equal(
                    "resident memory fell by what was resident and inflated",
                    dropped,
                    residentAndInflated);
        }
        checks.equal(
                "no other page of the guest went away",
                before.bytesNotIn(after),
                residentAndInflated);
        checks.equal(
                "the kernel has none of the balloon in memory",
                verified,
                inflated << PageFrame.SHIFT);
        checks.equal("free inside the guest is its new size", free.total(), plan.target().bytes());
    }

    private void release(VirtualMachine vm, BalloonDevice balloon, InProcessGuest guest)
            throws InterruptedException, ExecutionException, TimeoutException {
        long corrupted = on(guest, g -> g.workload().corruptedPages());
        figures.put("checksumsIntact", corrupted == 0);
        checks.equal("every page that the guest kept is intact", corrupted, 0);

        title("4. setmem " + SizeText.of(plan.maximum().bytes()) + ": the guest gets it back");
        long residentBefore = vm.backend().residentBytes();
        setMemory(vm, balloon, plan.maximum());
        long grown = on(guest, g -> g.workload().grow(plan.pagesToWrite() - plan.pagesToKeep()));
        out.println("guest: wrote " + size(grown) + " again");
        out.println("guest$ free");
        out.println(FreeTable.of(on(guest, InProcessGuest::free)));
        long regrown = vm.backend().residentBytes() - residentBefore;
        out.println("host:  resident grew by " + SizeText.of(regrown));
        figures.put("residentRegrownBytes", regrown);
        checks.that("resident memory grew again", regrown > 0);
        checks.equal(
                "every page of the guest is intact",
                on(guest, g -> g.workload().corruptedPages()),
                0);
    }

    private void summarize(VirtualMachine vm, BalloonDevice balloon) {
        title("5. Summary");
        long inflated = balloon.counters().get(BalloonCounter.PAGES_INFLATED);
        long requests = balloon.counters().get(BalloonCounter.INFLATE_REQUESTS);
        long asked = balloon.counters().get(BalloonCounter.BYTES_ASKED);
        long accepted = balloon.counters().get(BalloonCounter.BYTES_ACCEPTED);
        long calls = balloon.reclaimer().discardCalls();
        figures.put("requests", requests);
        figures.put("discardCalls", calls);
        figures.put("bytesAsked", asked);
        figures.put("bytesAccepted", accepted);
        figures.put("anomalies", balloon.counters().anomalies());
        checks.equal("the guest did nothing odd", balloon.counters().anomalies(), 0);
        String perCall =
                calls == 0 ? "none" : String.format(Locale.ROOT, "%.1f", (double) inflated / calls);
        out.println("  pages inflated        " + inflated + " in " + requests + " requests");
        out.println("  discard calls         " + calls + ", pages per call " + perCall);
        out.println("  pages per second      " + figures.get("pagesPerSecond"));
        out.println(
                "  bytes returned        asked "
                        + asked
                        + ", accepted "
                        + accepted
                        + ", verified "
                        + figures.get("bytesVerified"));
        long process = HostMemory.processResidentBytes();
        if (process >= 0) {
            long own = process - vm.backend().residentBytes();
            figures.put("jvmResidentBytes", own);
            out.println("  the JVM around it     " + SizeText.of(own) + " resident");
        }
    }

    private SetMemoryOutcome setMemory(VirtualMachine vm, BalloonDevice balloon, GuestSize size)
            throws InterruptedException, ExecutionException {
        SetMemoryOutcome outcome =
                SetMemoryProgress.follow(
                        out,
                        balloon,
                        size.balloonWithin(plan.maximum()),
                        () -> vm.setMemory(size, DEADLINE));
        tellOutcome(outcome);
        return outcome;
    }

    private void tellOutcome(SetMemoryOutcome outcome) {
        out.println("setmem: " + OutcomeText.of(outcome));
        checks.that("setmem succeeded", outcome instanceof SetMemoryOutcome.Reached);
    }

    private void title(String text) {
        out.println();
        out.println("== " + text);
    }

    private static String size(long pages) {
        return SizeText.of(pages << PageFrame.SHIFT);
    }

    private static <T extends @Nullable Object> T on(
            InProcessGuest guest, Function<InProcessGuest, T> work)
            throws InterruptedException, ExecutionException, TimeoutException {
        return await(guest.call(work));
    }

    private static <T extends @Nullable Object> T await(CompletableFuture<T> future)
            throws InterruptedException, ExecutionException, TimeoutException {
        return future.get(2 * DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }
}
