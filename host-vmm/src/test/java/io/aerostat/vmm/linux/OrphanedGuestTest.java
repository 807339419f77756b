package io.aerostat.vmm.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A guest whose JVM ends without closing it. */
final class OrphanedGuestTest {
    /** The JVM: starts a guest, says which process it is, and waits to be ended. */
    static final class Owner {
        public static void main(String[] args) throws Exception {
            LinuxGuestOptions options =
                    LinuxGuestOptions.of(64L << 20).withDirectory(Path.of(args[0]));
            LinuxGuest guest = LinuxGuest.start(options);
            System.out.println(guest.pid());
            Thread.sleep(60_000);
        }
    }

    @TempDir private Path place;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void endsWithItsJvm(boolean killed) throws Exception {
        LinuxPackages packages = LinuxPackages.search();
        assumeTrue(packages.isComplete(), "a Linux guest " + packages.remedy());
        Process jvm =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-cp",
                                classes(LinuxGuest.class)
                                        + File.pathSeparator
                                        + classes(Owner.class),
                                Owner.class.getName(),
                                place.toString())
                        .redirectErrorStream(true)
                        .start();
        try (BufferedReader said = jvm.inputReader()) {
            ProcessHandle guest = ProcessHandle.of(Long.parseLong(said.readLine())).orElseThrow();
            assertTrue(guest.isAlive());

            if (killed) {
                jvm.destroyForcibly();
            } else {
                jvm.destroy();
            }

            assertTrue(jvm.waitFor(10, TimeUnit.SECONDS));
            guest.onExit().get(10, TimeUnit.SECONDS);
            try (Stream<Path> left = Files.list(place)) {
                // A JVM that is killed cannot tidy up.
                assertEquals(killed ? 1 : 0, left.count());
            }
        } finally {
            jvm.destroyForcibly();
        }
    }

    private static Path classes(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }
}
