package io.aerostat.vmm.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.serve.RunDirectory;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** {@code aerostat serve} as a user runs it, and ends it. */
@Timeout(60)
final class ServeTest {
    /** What a shell says of a process that SIGTERM has ended. */
    private static final int ENDED_BY_SIGTERM = 143;

    @TempDir private Path folder;

    @Test
    void servesUntilItIsEndedAndLeavesNothing() throws IOException, InterruptedException {
        Path log = folder.resolve("output.txt");
        Path run = folder.resolve("run");
        Process process =
                LauncherProcess.start(
                        log,
                        "serve",
                        "--guest",
                        "name=web,socket=" + folder.resolve("web.sock"),
                        "--guest",
                        "name=db,socket=" + folder.resolve("db.sock"),
                        "--run-dir",
                        run.toString(),
                        "--memory-floor",
                        "64MiB");
        try {
            awaitLine(log, "guest db: socket ");
            assertEquals(Set.of("db", "web"), new RunDirectory(run).guests().keySet());
            assertTrue(Files.exists(folder.resolve("web.sock")));
        } finally {
            process.destroy();
            assertTrue(process.waitFor(20, TimeUnit.SECONDS), "it did not end");
        }

        assertEquals(ENDED_BY_SIGTERM, process.exitValue(), Files.readString(log));
        try (Stream<Path> left = Files.walk(folder)) {
            assertEquals(Set.of(folder, log, run), Set.copyOf(left.toList()));
        }
    }

    private static void awaitLine(Path log, String start) throws IOException {
        while (Files.readString(log, StandardCharsets.UTF_8)
                .lines()
                .noneMatch(line -> line.startsWith(start))) {
            Thread.onSpinWait();
        }
    }
}
