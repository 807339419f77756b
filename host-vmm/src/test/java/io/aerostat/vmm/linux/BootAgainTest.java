package io.aerostat.vmm.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.vmm.linux.LinuxGuestException.Reason;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Kernels that die while they boot; scripts instead of kernels. */
final class BootAgainTest {
    @TempDir private Path folder;

    /** How often a kernel was started that says this and dies. */
    private int startsOf(String lastWords) throws IOException {
        assumeTrue(
                LinuxPackages.search().isComplete(),
                "a Linux guest " + LinuxPackages.search().remedy());
        Path count = folder.resolve("count");
        Path kernel = Files.createDirectory(folder.resolve("bin")).resolve("linux.uml");
        String script =
                "#!/bin/sh\necho started >>%s\necho \"%s\"\nexit 6\n".formatted(count, lastWords);
        Files.writeString(kernel, script);
        assertTrue(kernel.toFile().setExecutable(true));
        LinuxPackages packages =
                LinuxPackages.searchBelow(
                        Path.of("/"), kernel.getParent() + ":" + System.getenv("PATH"));
        LinuxGuestOptions options = LinuxGuestOptions.of(64L << 20).withDirectory(folder);

        LinuxGuestException failure =
                assertThrows(LinuxGuestException.class, () -> LinuxGuest.start(packages, options));

        assertEquals(Reason.ENDED, failure.reason());
        assertTrue(failure.console().contains(lastWords), failure.toString());
        try (var left = Files.list(folder)) {
            assertEquals(Set.of(count, kernel.getParent()), Set.copyOf(left.toList()));
        }
        return Files.readAllLines(count).size();
    }

    @Test
    void aGuestThatGetsNoProcessIsStartedAgainButNotForEver() throws IOException {
        assertEquals(3, startsOf("/init: line 9: can't fork: Resource temporarily unavailable"));
    }

    @Test
    void aGuestThatPanicsIsNotStartedAgain() throws IOException {
        assertEquals(1, startsOf("Kernel panic - not syncing: No working init found."));
    }
}
