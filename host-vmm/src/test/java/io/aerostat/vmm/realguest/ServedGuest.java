package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.linux.CommandResult;
import io.aerostat.vmm.linux.LinuxGuest;
import io.aerostat.vmm.linux.LinuxGuestException;
import io.aerostat.vmm.linux.LinuxGuestOptions;
import io.aerostat.vmm.vhost.VhostUserGuest;
import io.aerostat.vmm.vhost.VhostUserOptions;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.DriverState;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A Linux guest, our back-end of its balloon, and a directory with all that they need. */
final class ServedGuest {
    private static final int CONSOLE_LINES = 30;

    private final Path directory;
    private final VhostUserGuest host;
    private Optional<LinuxGuest> linux = Optional.empty();

    private ServedGuest(Path directory, VhostUserGuest host) {
        this.directory = directory;
        this.host = host;
    }

    /** A back-end that waits for its guest. */
    static ServedGuest serve(String name, BalloonOptions balloon) throws IOException {
        Path directory = Files.createTempDirectory("aero").toRealPath();
        VhostUserOptions usual = VhostUserOptions.of(name, directory.resolve("balloon.sock"));
        BalloonOptions sized = balloon.withQueueSize(usual.balloon().queueSize());
        return new ServedGuest(
                directory,
                VhostUserGuest.serve(
                        new VhostUserOptions(name, usual.socket(), sized, usual.floor())));
    }

    /** Starts the guest. Its balloon's driver waits to be loaded. */
    ServedGuest boot(LinuxGuestOptions options) throws Exception {
        linux =
                Optional.of(
                        LinuxGuest.start(
                                options.withDirectory(directory)
                                        .withBalloonSocket(host.options().socket())));
        return this;
    }

    /** Loads the balloon's driver. */
    ServedGuest load() throws Exception {
        linux().loadBalloon();
        Await.until("the driver is up", () -> host.driver() == DriverState.UP);
        return this;
    }

    VhostUserGuest host() {
        return host;
    }

    LinuxGuest linux() {
        return linux.orElseThrow();
    }

    // the guest's side

    /** Runs a command that succeeds. */
    List<String> run(String command) throws Exception {
        CommandResult result = linux().run(command, Await.SOON);
        assertTrue(result.isSuccess(), command + ": " + result);
        return result.lines();
    }

    /** The guest's free memory, by its own word. */
    long freeBytes() throws Exception {
        return linux().meminfo().get("MemFree") << 10;
    }

    /** Has the guest write to so much of its free memory, and free it again. */
    void dirty(int mebibytes) throws Exception {
        run("dd if=/dev/zero of=/tmp/dirt bs=1M count=" + mebibytes + " && rm /tmp/dirt");
    }

    // the host's side

    BalloonDevice device() {
        return host.control().attached().orElseThrow().device();
    }

    long ledgerPages() {
        return device().ledgerPages();
    }

    long count(BalloonCounter counter) {
        return device().counters().get(counter);
    }

    /** What the host has to provide for the guest's RAM. */
    long residentBytes() {
        return host.residentBytes().orElseThrow();
    }

    /** Asks for a balloon of so many pages. */
    CompletableFuture<SetMemoryOutcome> target(long pages, Duration deadline) {
        GuestSize maximum = host.control().attached().orElseThrow().maximum();
        return host.control().setMemory(new BalloonSize(pages).guestWithin(maximum), deadline);
    }

    /** Returns when the guest's connection has ended, and its balloon with it. */
    void awaitGone() throws Exception {
        Await.until(
                "the guest has gone",
                () -> !host.isConnected() && host.control().attached().isEmpty());
        assertEquals(DriverState.ABSENT, host.driver());
        assertTrue(host.residentBytes().isEmpty());
    }

    /** Has the guest have a balloon of so many pages, and sees that all agree on it. */
    void inflateTo(long pages) throws Exception {
        SetMemoryOutcome outcome = outcome(target(pages, Await.SOON));
        SetMemoryOutcome.Reached reached =
                assertInstanceOf(SetMemoryOutcome.Reached.class, outcome);
        assertEquals(pages, reached.balloon().pages());
        assertAllAgreeOn(pages);
    }

    static SetMemoryOutcome outcome(CompletableFuture<SetMemoryOutcome> promise) throws Exception {
        return promise.get(2 * Await.SOON.toSeconds(), TimeUnit.SECONDS);
    }

    /** The ledger, the driver's word, our counters and those of the guest's kernel. */
    void assertAllAgreeOn(long pages) throws Exception {
        assertEquals(pages, device().targetPages());
        assertEquals(pages, device().actualPages());
        assertEquals(pages, ledgerPages());
        long inflated = count(BalloonCounter.PAGES_INFLATED);
        long deflated = count(BalloonCounter.PAGES_DEFLATED);
        assertEquals(pages, inflated - deflated);
        // A page that moves goes out at one place and in at another.
        Map<String, Long> events = linux().vmstat();
        long migrated = events.get("balloon_migrate");
        assertEquals(events.get("balloon_inflate") + migrated, inflated);
        assertEquals(events.get("balloon_deflate") + migrated, deflated);
        assertHonest();
    }

    /** The guest has done nothing wrong. */
    void assertHonest() {
        assertEquals(0, device().counters().anomalies(), this::evidence);
    }

    /** Every page in the balloon is one that the host does not have in memory. */
    void assertGivenBack() throws Exception {
        long verified =
                host.control()
                        .ask(device -> device.ballooned().verifiedBytes(), -1L)
                        .get(Await.SOON.toSeconds(), TimeUnit.SECONDS);
        assertEquals(ledgerPages() << PageFrame.SHIFT, verified);
    }

    static void assertNear(long expected, long actual, long tolerance) {
        assertTrue(
                Math.abs(expected - actual) <= tolerance,
                "expected=" + expected + ", actual=" + actual + ", tolerance=" + tolerance);
    }

    // what is left

    /** What both sides have to say when a test has failed. */
    String evidence() {
        StringBuilder text = new StringBuilder("guest " + host.options().name());
        text.append(", connected=").append(host.isConnected());
        text.append(", driver=").append(host.driver());
        text.append(", resident=").append(host.residentBytes());
        text.append(", discardCalls=").append(host.discardCalls());
        host.control().attached().ifPresent(now -> append(text, now.device()));
        linux.ifPresent(guest -> append(text, guest));
        return text.toString();
    }

    private static void append(StringBuilder text, BalloonDevice device) {
        text.append(", target=").append(device.targetPages());
        text.append(", actual=").append(device.actualPages());
        text.append(", ledger=").append(device.ledgerPages());
        text.append(", features=0x").append(Long.toHexString(device.negotiatedFeatures()));
        for (BalloonCounter counter : BalloonCounter.values()) {
            long value = device.counters().get(counter);
            if (value != 0) {
                text.append("\n    ").append(counter).append('=').append(value);
            }
        }
    }

    private static void append(StringBuilder text, LinuxGuest guest) {
        text.append("\n  exit code: ").append(guest.exitCode()).append("\n  console:");
        List<String> console = guest.consoleLog();
        console.stream()
                .skip(Math.max(0, console.size() - CONSOLE_LINES))
                .forEach(line -> text.append("\n    ").append(line));
        text.append("\n  kernel:");
        try {
            String last = "dmesg | tail -n " + CONSOLE_LINES;
            guest.run(last, Duration.ofSeconds(3))
                    .lines()
                    .forEach(line -> text.append("\n    ").append(line));
        } catch (LinuxGuestException e) {
            text.append(' ').append(e.summary());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends both, if they have not ended, and sees that nothing is left of them. */
    void end() throws Exception {
        try {
            linux.ifPresent(LinuxGuest::close);
        } finally {
            host.close();
        }
        Await.until(
                "the guest's processes have ended",
                () -> Leftovers.processesIn(directory).isEmpty());
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
        }
        Files.delete(directory);
    }
}
