package io.aerostat.vmm.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

final class RamDirectoryTest {
    private static final long SMALL = 1 << 20;

    @TempDir private Path place;
    private Path preferred;
    private Path fallback;

    @BeforeEach
    void makeBoth() throws IOException {
        preferred = Files.createDirectory(place.resolve("shm"));
        fallback = Files.createDirectory(place.resolve("tmp"));
    }

    @Test
    void prefersMemory() throws IOException {
        List<String> mounts =
                List.of("/dev/vda / ext4 rw,noexec 0 0", "shm " + preferred + " tmpfs rw 0 0", "x");

        assertEquals(preferred, new RamDirectory(preferred, fallback, mounts).choose(SMALL));
    }

    @Test
    void goesElsewhereWhereTheKernelCouldNotRun() throws IOException {
        List<String> mounts =
                List.of(
                        "shm " + preferred + " tmpfs rw 0 0",
                        "shm " + preferred + " tmpfs rw,nosuid,noexec 0 0");

        assertEquals(fallback, new RamDirectory(preferred, fallback, mounts).choose(SMALL));
    }

    @Test
    void goesElsewhereWhereThereIsNoMemoryFileSystem() throws IOException {
        Files.delete(preferred);

        assertEquals(fallback, new RamDirectory(preferred, fallback, List.of()).choose(SMALL));
    }

    @Test
    void saysWhyNeitherWillDo() {
        List<String> mounts = List.of("shm " + preferred + " tmpfs noexec 0 0");

        IOException refused =
                assertThrows(
                        IOException.class,
                        () -> new RamDirectory(preferred, fallback, mounts).choose(Long.MAX_VALUE));

        assertTrue(refused.getMessage().contains(preferred + " is mounted noexec"));
        assertTrue(refused.getMessage().contains(fallback + " has not enough room: freeBytes="));
    }
}
