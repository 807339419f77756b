package io.aerostat.bench.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.linux.LinuxPackages;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What does not get as far as a guest. */
final class LinuxBenchmarkTest {
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final ByteArrayOutputStream complained = new ByteArrayOutputStream();

    @TempDir private Path empty;
    private LinuxPackages nothing;

    @BeforeEach
    void search() {
        nothing = LinuxPackages.searchBelow(empty, "/bin");
    }

    private int run(String... arguments) throws InterruptedException {
        return LinuxBenchmark.run(
                List.of(arguments),
                nothing,
                empty.resolve("peer.py"),
                empty.resolve("raw.json"),
                new LinuxBenchmark.Streams(to(said), to(complained)));
    }

    private static PrintStream to(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    @Test
    void saysInOneLineWhichPackagesAreMissing() throws Exception {
        assertEquals(1, run("--quick"));

        assertEquals(
                List.of(
                        "aerostat bench: --linux needs user-mode-linux, busybox-static, cpio,"
                                + " util-linux: apt-get install --no-install-recommends"
                                + " user-mode-linux busybox-static cpio util-linux"),
                complained.toString(StandardCharsets.UTF_8).lines().toList());
        assertEquals("", said.toString(StandardCharsets.UTF_8));
        assertFalse(Files.exists(empty.resolve("raw.json")));
    }

    @Test
    void saysInOneLineWhichArgumentIsWrong() throws Exception {
        assertEquals(2, run("InflateBenchmark"));

        assertEquals(1, complained.toString(StandardCharsets.UTF_8).lines().count());
        assertTrue(complained.toString(StandardCharsets.UTF_8).contains("InflateBenchmark"));
    }

    @Test
    void thereIsNoPeerWithoutItsScript() throws Exception {
        assertFalse(PeerBackEnd.isPossible(empty.resolve("peer.py")));
    }
}
