package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.linux.CommandResult;
import io.aerostat.vmm.linux.LinuxGuest;
import io.aerostat.vmm.linux.LinuxGuestOptions;
import io.aerostat.vmm.monitor.message.OutcomeJson;
import io.aerostat.vmm.report.Checks;
import io.aerostat.vmm.report.DomainXml;
import io.aerostat.vmm.report.Figures;
import io.aerostat.vmm.report.OutcomeText;
import io.aerostat.vmm.report.SizeText;
import io.aerostat.vmm.report.StatisticsTable;
import io.aerostat.vmm.vhost.VhostUserGuest;
import io.aerostat.vmm.vhost.VhostUserOptions;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.StatisticsOutcome;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * The story of {@link Demo} with a real kernel: Linux's own virtio_balloon gives its memory to our
 * device, over vhost-user, and what the kernels on both sides say about it is checked.
 */
public final class LinuxDemo {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    /** Free pages are reported two seconds after they were freed. */
    private static final Duration REPORTING_DEADLINE = Duration.ofSeconds(10);

    private static final long POLL_MS = 20;

    /** Between two looks at a guest's memory its kernel goes on. */
    private static final long TOLERANCE_KIB = 2048;

    private static final long MIB = 1L << 20;

    /** Linux reports a part of its free memory every two seconds. */
    private static final long REPORTED_SOON = 64 * MIB;

    private static final String KEPT_FILE = "/tmp/kept";

    private final LinuxDemoPlan plan;
    private final Figures figures;
    private final PrintWriter out;
    private final Checks checks;

    // With an empty balloon.
    private long memTotalKiB;
    private long residentBefore;

    /**
     * A demo.
     *
     * @param figures takes what it finds
     * @param out where it is told
     */
    public LinuxDemo(LinuxDemoPlan plan, Figures figures, PrintWriter out) {
        this.plan = plan;
        this.figures = figures;
        this.out = out;
        this.checks = new Checks(out);
    }

    /**
     * Tells it, from the guest's boot to its end; leaves nothing behind.
     *
     * @return whether everything held
     */
    public boolean run() throws IOException, InterruptedException, ExecutionException {
        Path directory = Files.createTempDirectory("aerostat");
        Path socket = directory.resolve("balloon.sock");
        // For a JVM that is told to end; in the reverse order.
        directory.toFile().deleteOnExit();
        socket.toFile().deleteOnExit();
        try (VhostUserGuest host = VhostUserGuest.serve(VhostUserOptions.of("linux", socket));
                LinuxGuest linux =
                        LinuxGuest.start(
                                LinuxGuestOptions.of(plan.memory().bytes())
                                        .withBalloonSocket(socket)
                                        .withBalloonLoaded())) {
            BalloonControl.Attached balloon =
                    host.control()
                            .attached()
                            .orElseThrow(() -> new IOException("the guest has no balloon"));
            describe(balloon, linux);
            useMemory(host, linux);
            String checksum = keepFile(linux);
            squeeze(host, balloon, linux);
            checkFile(linux, checksum, "before and after setmem down");
            statistics(host, balloon, linux);
            release(host, balloon, linux);
            checkFile(linux, checksum, "after setmem up");
            report(host, linux);
            summarize(host, balloon.device());
            title("7. The guest powers off");
            checks.equal("exit code of the guest", linux.powerOff(DEADLINE), 0);
        } finally {
            Files.deleteIfExists(directory);
        }
        figures.put("allChecksHeld", checks.allHeld());
        out.flush();
        return checks.allHeld();
    }

    private void describe(BalloonControl.Attached balloon, LinuxGuest linux)
            throws InterruptedException {
        title("1. A Linux guest, and its balloon served over vhost-user");
        String kernel = linux.kernelRelease();
        out.println("guest$ uname -r");
        out.println(kernel);
        out.println(DomainXml.of("linux", balloon).text());
        out.println("RAM: the guest's file, mapped here, given back by fallocate(PUNCH_HOLE)");
        out.println("guest$ lsmod");
        command(linux, "lsmod").lines().forEach(out::println);
        figures.put("guestKernel", kernel);
        figures.put("memoryBytes", balloon.maximum().bytes());
        figures.put("targetBytes", plan.target().bytes());
    }

    private void useMemory(VhostUserGuest host, LinuxGuest linux) throws InterruptedException {
        title("2. The guest uses its memory");
        residentBefore = writeAndFree(host, linux);
        Map<String, Long> meminfo = tellFree(linux);
        memTotalKiB = kib(meminfo, "MemTotal");
        figures.put("memTotalKiB", memTotalKiB);
        figures.put("memFreeBeforeKiB", kib(meminfo, "MemFree"));
        figures.put("residentBeforeBytes", residentBefore);
    }

    /**
     * Writes to memory, and frees it.
     *
     * @return bytes resident before it was freed: afterwards the guest begins to report it
     */
    private long writeAndFree(VhostUserGuest host, LinuxGuest linux) throws InterruptedException {
        String size = SizeText.of(plan.useBytes());
        long mib = plan.useBytes() / MIB;
        command(linux, "dd if=/dev/zero of=/tmp/used bs=1M count=" + mib + " 2>/dev/null");
        out.println("guest: wrote " + size + " to a file in memory");
        long resident = tellResident(host);
        command(linux, "rm /tmp/used");
        out.println("guest: removed the file");
        return resident;
    }

    private String keepFile(LinuxGuest linux) throws InterruptedException {
        command(linux, "dd if=/dev/urandom of=" + KEPT_FILE + " bs=1M count=16 2>/dev/null");
        return checksum(linux);
    }

    private String checksum(LinuxGuest linux) throws InterruptedException {
        return command(linux, "sha1sum " + KEPT_FILE).lines().getFirst();
    }

    private void checkFile(LinuxGuest linux, String before, String when)
            throws InterruptedException {
        boolean intact = checksum(linux).equals(before);
        checks.that("a file in the guest is the same " + when, intact);
        Object soFar = figures.get("checksumIntact");
        figures.put("checksumIntact", intact && !Boolean.FALSE.equals(soFar));
    }

    private void squeeze(VhostUserGuest host, BalloonControl.Attached balloon, LinuxGuest linux)
            throws InterruptedException, ExecutionException {
        title("3. setmem " + SizeText.of(plan.target().bytes()));
        long startNs = System.nanoTime();
        SetMemoryOutcome outcome = setMemory(host, balloon, plan.target());
        long elapsedNs = System.nanoTime() - startNs;
        long inflated = balloon.device().counters().get(BalloonCounter.PAGES_INFLATED);
        Map<String, Long> meminfo = tellFree(linux);
        long residentAfter = tellResident(host);
        figures.put("outcome", OutcomeJson.nameOf(outcome));
        figures.put("pagesInflated", inflated);
        figures.put("pagesPerSecond", Math.round(inflated * 1e9 / elapsedNs));
        figures.put("memFreeAfterKiB", kib(meminfo, "MemFree"));
        figures.put("residentAfterBytes", residentAfter);
        checks.equal(
                "the ledger has what the driver says that it gave",
                balloon.device().ledgerPages(),
                balloon.device().actualPages());
        checks.equal(
                "so many pages are in the balloon as setmem wants",
                balloon.device().ledgerPages(),
                plan.target().balloonWithin(balloon.maximum()).pages());
        // The rest of the balloon's pages had never been touched.
        checks.that(
                "the host has " + SizeText.of(residentBefore - residentAfter) + " back",
                residentBefore - residentAfter > (inflated << PageFrame.SHIFT) * 2 / 3);
    }

    private void statistics(VhostUserGuest host, BalloonControl.Attached balloon, LinuxGuest linux)
            throws InterruptedException, ExecutionException {
        title("4. dommemstat: the guest's word");
        Map<String, Long> meminfo = linux.meminfo();
        StatisticsOutcome outcome = host.control().statistics(DEADLINE).get();
        if (!(outcome instanceof StatisticsOutcome.Answered answered)) {
            checks.that("the guest answers", false);
            return;
        }
        GuestStatistics told = answered.figures();
        out.print(StatisticsTable.of(told));
        Map<String, Long> named = new LinkedHashMap<>();
        told.known().forEach((tag, value) -> named.put(tag.name().toLowerCase(Locale.ROOT), value));
        figures.put("statistics", named);
        checks.equal(
                "memtot is MemTotal, in KiB", kib(told, StatTag.MEMTOT), kib(meminfo, "MemTotal"));
        checks.near(
                "memfree is MemFree, in KiB, within " + TOLERANCE_KIB,
                kib(told, StatTag.MEMFREE),
                kib(meminfo, "MemFree"),
                TOLERANCE_KIB);
        checks.near(
                "avail is MemAvailable, in KiB, within " + TOLERANCE_KIB,
                kib(told, StatTag.AVAIL),
                kib(meminfo, "MemAvailable"),
                TOLERANCE_KIB);
        checks.equal(
                "nothing the guest says contradicts the host",
                balloon.device().counters().anomalies(),
                0);
    }

    private static long kib(Map<String, Long> meminfo, String name) {
        return meminfo.getOrDefault(name, -1L);
    }

    private static long kib(GuestStatistics figures, StatTag tag) {
        return figures.value(tag).orElse(-1) >> 10;
    }

    private void release(VhostUserGuest host, BalloonControl.Attached balloon, LinuxGuest linux)
            throws InterruptedException, ExecutionException {
        title("5. setmem " + SizeText.of(balloon.maximum().bytes()) + ": the guest gets it back");
        long before = resident(host);
        setMemory(host, balloon, balloon.maximum());
        long regrown = writeAndFree(host, linux) - before;
        Map<String, Long> meminfo = tellFree(linux);
        figures.put("residentRegrownBytes", regrown);
        checks.equal("MemTotal is what it was, in KiB", kib(meminfo, "MemTotal"), memTotalKiB);
        checks.that("resident memory grew by " + SizeText.of(regrown), regrown > 0);
        checks.equal("the balloon is empty", balloon.device().ledgerPages(), 0);
    }

    private void report(VhostUserGuest host, LinuxGuest linux) throws InterruptedException {
        title("6. Page reporting: free memory comes back without a target");
        long before = writeAndFree(host, linux);
        long wanted = before - Math.min(plan.useBytes() / 2, REPORTED_SOON);
        long startNs = System.nanoTime();
        while (resident(host) > wanted
                && System.nanoTime() - startNs < REPORTING_DEADLINE.toNanos()) {
            TimeUnit.MILLISECONDS.sleep(POLL_MS);
        }
        long after = tellResident(host);
        checks.that(
                "the host has "
                        + SizeText.of(before - after)
                        + " back within "
                        + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs + 999_999_999L)
                        + " s",
                after <= wanted);
    }

    private void summarize(VhostUserGuest host, BalloonDevice device) {
        title("Summary");
        long requests = device.counters().get(BalloonCounter.INFLATE_REQUESTS);
        long reported = device.counters().get(BalloonCounter.BYTES_REPORTED);
        figures.put("reportedBytes", reported);
        figures.put("requests", requests);
        figures.put("discardCalls", host.discardCalls());
        figures.put("anomalies", device.counters().anomalies());
        out.println(
                "  pages inflated        "
                        + device.counters().get(BalloonCounter.PAGES_INFLATED)
                        + " in "
                        + requests
                        + " requests");
        out.println("  pages per second      " + figures.get("pagesPerSecond"));
        // The guest may be in the middle of a report.
        out.println("  bytes reported free   " + reported);
        out.println("  discard calls         " + host.discardCalls());
        checks.equal("the guest did nothing odd", device.counters().anomalies(), 0);
    }

    private SetMemoryOutcome setMemory(
            VhostUserGuest host, BalloonControl.Attached balloon, GuestSize size)
            throws InterruptedException, ExecutionException {
        SetMemoryOutcome outcome =
                SetMemoryProgress.follow(
                        out,
                        balloon.device(),
                        size.balloonWithin(balloon.maximum()),
                        () -> host.control().setMemory(size, DEADLINE));
        out.println("setmem: " + OutcomeText.of(outcome));
        checks.that("setmem succeeded", outcome instanceof SetMemoryOutcome.Reached);
        return outcome;
    }

    private static long resident(VhostUserGuest host) {
        return host.residentBytes().orElse(0);
    }

    private long tellResident(VhostUserGuest host) {
        long bytes = resident(host);
        out.println("host:  resident " + SizeText.of(bytes) + " of the guest's RAM");
        return bytes;
    }

    private Map<String, Long> tellFree(LinuxGuest linux) throws InterruptedException {
        out.println("guest$ free");
        linux.free().forEach(out::println);
        return linux.meminfo();
    }

    private static CommandResult command(LinuxGuest linux, String command)
            throws InterruptedException {
        CommandResult result = linux.run(command, DEADLINE);
        if (result.exitCode() != 0) {
            throw new IllegalStateException(
                    "the guest could not: command=" + command + ", said=" + result.lines());
        }
        return result;
    }

    private void title(String text) {
        out.println();
        out.println("== " + text);
    }
}
