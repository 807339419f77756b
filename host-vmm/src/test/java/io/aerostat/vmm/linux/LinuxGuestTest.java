package io.aerostat.vmm.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.vmm.linux.LinuxGuestException.Reason;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real kernel, shared by the tests that leave it as it was. */
final class LinuxGuestTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final LinuxGuestOptions SMALL = LinuxGuestOptions.of(64L << 20);

    private static LinuxGuest shared;

    @BeforeAll
    static void boot() throws Exception {
        LinuxPackages packages = LinuxPackages.search();
        assumeTrue(packages.isComplete(), "a Linux guest " + packages.remedy());
        shared = LinuxGuest.start(SMALL);
    }

    @AfterAll
    static void end() {
        if (shared != null) {
            shared.close();
        }
    }

    @Test
    void tellsAboutItself() throws Exception {
        assertTrue(shared.kernelRelease().matches("\\d+\\..*"), shared.kernelRelease());
        assertEquals(LinuxPackages.search().release().orElseThrow(), shared.kernelRelease());
        assertTrue(shared.meminfo().get("MemTotal") > 40_000);
        assertTrue(shared.meminfo().get("MemTotal") < 65_536);
        assertTrue(shared.vmstat().get("nr_free_pages") > 1000);
        assertTrue(shared.free().get(1).startsWith("Mem: "), shared.free().toString());
        assertTrue(shared.isAlive());
        assertEquals(OptionalInt.empty(), shared.exitCode());
    }

    @Test
    void givesExitCodesAndAllLines() throws Exception {
        assertEquals(
                new CommandResult(3, List.of("one", "", "  two", "three")),
                shared.run("echo one; echo; echo '  two' >&2; printf three; exit 3", SOON));
        assertEquals(new CommandResult(127, List.of("sh: nonsense: not found")), nonsense());
        assertEquals(1000, shared.run("seq 1000", SOON).lines().size());
    }

    private static CommandResult nonsense() throws InterruptedException {
        CommandResult result = shared.run("nonsense", SOON);
        List<String> said =
                result.lines().stream()
                        .map(line -> line.replaceFirst("^.*nonsense", "sh: nonsense"))
                        .toList();
        return new CommandResult(result.exitCode(), said);
    }

    @Test
    void runsCommandsWithQuotesAndOfSeveralLines() throws Exception {
        CommandResult result =
                shared.run(
                        """
                        for name in "a  b" 'c"d' e\\\\f; do
                            echo "<$name> `echo $((6 * 7))` \\$HOME"
                        done
                        cat <<'END'
                          it's $verbatim \t
                        END
                        # the last line is no command
                        """,
                        SOON);

        assertEquals(
                List.of(
                        "<a  b> 42 $HOME",
                        "<c\"d> 42 $HOME",
                        "<e\\f> 42 $HOME",
                        "  it's $verbatim \t"),
                result.lines());
        assertEquals(0, result.exitCode());
    }

    @Test
    void aLongLineIsTypedWhole() throws Exception {
        String text = "x".repeat(3_000);

        for (int i = 0; i < 10; i++) {
            assertEquals(List.of(text), shared.run("echo " + text, SOON).lines());
        }
    }

    @Test
    void aCommandCannotHurtTheNext() throws Exception {
        assertEquals(2, shared.run("echo 'never closed", SOON).exitCode());
        assertEquals(List.of(), shared.run("cat", SOON).lines());
        shared.run("cd /proc; PATH=; exec true", SOON);
        assertTrue(shared.run("head -c 20000 /dev/urandom", SOON).isSuccess());

        assertEquals(List.of("/"), shared.run("pwd", SOON).lines());
    }

    @Test
    void refusesWhatIsTooLongToType() {
        String tooLong = "#".repeat(GuestConsole.LONGEST_COMMAND_BYTES);

        assertThrows(IllegalArgumentException.class, () -> shared.run(tooLong, SOON));
    }

    @Test
    void aCommandThatPrintsTooMuchIsToldApart() throws Exception {
        LinuxGuestException failure =
                assertThrows(
                        LinuxGuestException.class,
                        () -> shared.run("head -c 2000000 /dev/zero | tr '\\000' x", SOON));

        assertSame(Reason.OUTPUT_TOO_LONG, failure.reason());
        assertEquals(List.of("fine"), shared.run("echo fine", SOON).lines());
    }

    @Test
    void memoryThatTheGuestFillsIsResidentOnTheHost() throws Exception {
        long before = shared.residentShmemBytes();

        List<String> sums =
                shared.run(
                                "dd if=/dev/urandom of=/tmp/file bs=1M count=16 2>/dev/null;"
                                        + " sha1sum /tmp/file; sha1sum /tmp/file",
                                SOON)
                        .lines();
        long after = shared.residentShmemBytes();
        shared.run("rm /tmp/file", SOON);

        assertEquals(sums.get(0), sums.get(1));
        assertTrue(sums.get(0).matches("[0-9a-f]{40}  /tmp/file"), sums.get(0));
        assertTrue(after - before >= 12 << 20, before + " to " + after);
    }

    @Test
    void theBalloonsDriverLoadsWithoutABalloon() throws Exception {
        shared.loadBalloon();
        LinuxGuestException twice =
                assertThrows(LinuxGuestException.class, () -> shared.loadBalloon());
        shared.unloadBalloon();

        assertSame(Reason.COMMAND_FAILED, twice.reason());
        assertEquals(List.of(), shared.run("cat /proc/modules", SOON).lines());
    }

    @Test
    void aCommandThatHangsMissesItsDeadlineAndTheGuestIsStillClosed() throws Exception {
        LinuxGuest guest = LinuxGuest.start(SMALL.withKernelArguments("some=argument"));
        try (guest) {
            assertTrue(guest.run("cat /proc/cmdline", SOON).text().contains(" some=argument"));

            LinuxGuestException late =
                    assertThrows(
                            LinuxGuestException.class,
                            () -> guest.run("echo begun; sleep 1000", Duration.ofMillis(500)));
            LinuxGuestException waiting =
                    assertThrows(
                            LinuxGuestException.class,
                            () -> guest.run("echo second", Duration.ofMillis(50)));

            assertSame(Reason.DEADLINE, late.reason());
            assertTrue(late.console().contains("begun"), late.getMessage());
            assertSame(Reason.DEADLINE, waiting.reason());
            assertTrue(waiting.summary().contains("sleep 1000"), waiting.summary());
            assertTrue(guest.isAlive());
        }
        assertFalse(guest.isAlive());
    }

    @Test
    void aPanicEndsARunningCommandWithEvidence() throws Exception {
        try (LinuxGuest guest = LinuxGuest.start(SMALL)) {
            LinuxGuestException failure =
                    assertThrows(
                            LinuxGuestException.class,
                            () -> guest.run("echo c > /proc/sysrq-trigger; sleep 9", SOON));
            LinuxGuestException after =
                    assertThrows(LinuxGuestException.class, () -> guest.run("true", SOON));

            assertSame(Reason.ENDED, failure.reason());
            assertTrue(failure.getMessage().contains("Kernel panic"), failure.getMessage());
            assertSame(Reason.ENDED, after.reason());
            assertEquals(134, guest.powerOff(SOON));
        }
    }

    @Test
    void switchesItselfOff() throws Exception {
        try (LinuxGuest guest = LinuxGuest.start(SMALL.withRandomAddresses())) {
            assertEquals(0, guest.powerOff(SOON));

            assertEquals(OptionalInt.of(0), guest.exitCode());
            assertThrows(LinuxGuestException.class, guest::residentShmemBytes);
        }
    }

    @Test
    void nothingIsLeftOfAGuestThatIsClosed(@TempDir Path place) throws Exception {
        Path ram = Files.createTempDirectory(Path.of("/dev/shm"), "aerostat-test");
        try {
            LinuxGuest guest = LinuxGuest.start(SMALL.withDirectory(place).withRamDirectory(ram));
            List<ProcessHandle> processes;
            try (guest) {
                guest.run("sleep 1000 & sleep 1000 & sleep 1000 &", SOON);
                ProcessHandle kernel = ProcessHandle.of(guest.pid()).orElseThrow();
                processes = Stream.concat(Stream.of(kernel), kernel.descendants()).toList();
                assertTrue(processes.size() >= 4, processes.toString());
                assertEquals(1, entries(place));
            }
            guest.close();

            for (ProcessHandle process : processes) {
                // Ended, and soon heard of by whoever has inherited it.
                process.onExit().get(5, TimeUnit.SECONDS);
            }
            assertEquals(0, entries(place));
            assertEquals(0, entries(ram));
        } finally {
            Files.delete(ram);
        }
    }

    @Test
    void aGuestThatDoesNotBootLeavesNothing(@TempDir Path place) throws Exception {
        LinuxGuestException failure =
                assertThrows(
                        LinuxGuestException.class,
                        () ->
                                LinuxGuest.start(
                                        SMALL.withDirectory(place)
                                                .withBootDeadline(Duration.ofMillis(200))));
        LinuxGuestException panicked =
                assertThrows(
                        LinuxGuestException.class,
                        () ->
                                LinuxGuest.start(
                                        SMALL.withDirectory(place)
                                                .withKernelArguments("rdinit=/none", "root=none")));

        assertSame(Reason.DEADLINE, failure.reason());
        assertSame(Reason.ENDED, panicked.reason());
        assertTrue(panicked.getMessage().contains("VFS"), panicked.getMessage());
        assertEquals(0, entries(place));
    }

    @Test
    void twoGuestsRunAtOnce() throws Exception {
        try (LinuxGuest other =
                LinuxGuest.start(LinuxGuestOptions.of(96L << 20).withBalloonLoaded())) {
            assertEquals(List.of("shared"), shared.run("echo shared", SOON).lines());
            assertTrue(other.run("cat /proc/modules", SOON).text().startsWith("virtio_balloon "));
            assertTrue(other.meminfo().get("MemTotal") > shared.meminfo().get("MemTotal"));
        }
        assertTrue(shared.isAlive());
    }

    private static long entries(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.count();
        }
    }
}
