package io.aerostat.vmm.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The demo as a user runs it: a process of its own, with the launcher's options. */
final class DemoTest {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\" : (?:\"([^\"]*)\"|([\\w-]+))");
    private static final long TIMEOUT_SECONDS = 120;

    @TempDir private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"anonymous", "memfd", "simulated"})
    void tellsTheStoryAndEveryCheckHolds(String backing) throws IOException, InterruptedException {
        Demo demo = demo("--memory", "64MiB", "--backing", backing);

        assertEquals(0, demo.exitCode, demo.output);
        assertEquals("REACHED", demo.figures.get("outcome"), demo.output);
        assertEquals("true", demo.figures.get("checksumsIntact"), demo.output);
        assertEquals(67108864, demo.number("memoryBytes"));
        assertEquals(33554432, demo.number("targetBytes"));
        assertEquals(8192, demo.number("pagesInflated"));
        assertEquals(33554432, demo.number("bytesAsked"));
        assertEquals(33554432, demo.number("bytesAccepted"));
        assertEquals(33554432, demo.number("bytesVerified"));
        assertEquals(32, demo.number("requests"));
        assertTrue(
                demo.number("residentBeforeBytes") > demo.number("residentAfterBytes"),
                demo.output);
        assertTrue(demo.number("residentRegrownBytes") > 0, demo.output);
        assertEquals(
                33554432, demo.number("guestFreeBeforeBytes") - demo.number("guestFreeAfterBytes"));
        assertTrue(demo.number("pagesPerSecond") > 0, demo.output);
        assertEquals(backing, demo.figures.get("backing"));
        assertTrue(demo.figures.containsKey("reclaimer"));
        assertTrue(
                demo.number("discardCalls") >= (backing.equals("simulated") ? 0 : 1), demo.output);
    }

    @Test
    void refusesSetmemWithoutABalloonAndSaysWhy() throws IOException, InterruptedException {
        Demo demo = demo("--memory", "64MiB", "--balloon", "none");

        assertEquals(1, demo.exitCode, demo.output);
        assertEquals("REFUSED", demo.figures.get("outcome"), demo.output);
        assertTrue(demo.output.contains("<memballoon model='none'/>"), demo.output);
        assertTrue(
                demo.output.contains("setmem: refused: the virtual machine has no balloon device"),
                demo.output);
    }

    @Test
    void theJvmAroundTheGuestStaysSmall() throws IOException, InterruptedException {
        Demo demo = demo("--memory", "512MiB");

        long own = demo.number("jvmResidentBytes");
        assertTrue(own < 150L << 20, "jvmResidentBytes=" + own + "\n" + demo.output);
    }

    private record Demo(int exitCode, String output, Map<String, String> figures) {
        long number(String key) {
            return Long.parseLong(figures.get(key));
        }
    }

    private Demo demo(String... arguments) throws IOException, InterruptedException {
        Path json = folder.resolve("figures.json");
        Path log = folder.resolve("output.txt");
        List<String> verb = new ArrayList<>(List.of("demo", "--json", json.toString()));
        verb.addAll(List.of(arguments));
        Process process = LauncherProcess.start(log, verb.toArray(String[]::new));
        try {
            assertTrue(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS), "the demo did not end");
        } finally {
            process.destroyForcibly();
        }
        String output = Files.readString(log, StandardCharsets.UTF_8);
        return new Demo(process.exitValue(), output, Files.exists(json) ? figures(json) : Map.of());
    }

    private static Map<String, String> figures(Path json) throws IOException {
        Matcher fields = FIELD.matcher(Files.readString(json, StandardCharsets.UTF_8));
        return fields.results()
                .collect(
                        Collectors.toMap(
                                f -> f.group(1),
                                f -> f.group(2) == null ? f.group(3) : f.group(2)));
    }
}
