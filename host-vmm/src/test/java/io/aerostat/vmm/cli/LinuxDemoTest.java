package io.aerostat.vmm.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.aerostat.vmm.linux.LinuxPackages;
import io.aerostat.vmm.monitor.message.QmpJson;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The demo with a real kernel, as a user runs it. */
final class LinuxDemoTest {
    private static final long TIMEOUT_SECONDS = 120;
    private static final long MIB = 1L << 20;

    @TempDir private Path folder;

    @Test
    void aRealKernelGivesMemoryBackAndTakesItAgain() throws IOException, InterruptedException {
        LinuxPackages packages = LinuxPackages.search();
        assumeTrue(packages.isComplete(), "a Linux guest " + packages.remedy());
        List<Path> before = leftovers();
        Path json = folder.resolve("figures.json");
        Path log = folder.resolve("output.txt");

        Process process = LauncherProcess.start(log, "linux-demo", "--json", json.toString());
        try {
            assertTrue(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS), "it did not end");
        } finally {
            process.destroy();
        }

        String output = Files.readString(log, StandardCharsets.UTF_8);
        assertEquals(0, process.exitValue(), output);
        JsonNode figures = QmpJson.read(Files.readAllBytes(json));
        assertEquals("REACHED", figures.path("outcome").asText(), output);
        assertTrue(figures.path("checksumIntact").asBoolean(), output);
        assertEquals(packages.release().orElseThrow(), figures.path("guestKernel").asText());
        assertTrue(number(figures, "pagesInflated") > 100 * MIB / 4096, output);
        long back = number(figures, "residentBeforeBytes") - number(figures, "residentAfterBytes");
        assertTrue(back > 100 * MIB, "back=" + back + "\n" + output);
        assertTrue(number(figures, "residentRegrownBytes") > 100 * MIB, output);
        assertTrue(number(figures, "reportedBytes") > 32 * MIB, output);
        assertTrue(number(figures, "memTotalKiB") > 200_000, output);
        assertTrue(
                number(figures, "memFreeBeforeKiB") - number(figures, "memFreeAfterKiB")
                        > 100 * MIB / 1024,
                output);
        assertTrue(number(figures, "discardCalls") > 0, output);
        assertTrue(number(figures.path("statistics"), "memtot") > 0, output);
        assertEquals(before, leftovers());
    }

    private static long number(JsonNode figures, String key) {
        assertTrue(figures.path(key).isIntegralNumber(), key + " in " + figures);
        return figures.path(key).asLong();
    }

    private static List<Path> leftovers() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("aerostat"))
                    .sorted()
                    .toList();
        }
    }
}
