package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Backends come and go without leaving mappings or file descriptors behind. */
final class MappingLeakTest {
    private static final int ROUNDS = 300;

    // Far more than everything else in this process together, so that one left behind shows.
    private static final long BYTES = 64L << 30;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "native memory is mapped on Linux alone");
    }

    @Test
    void privateMemoryIsUnmapped() throws IOException {
        AnonymousBackend.map(BYTES, 0).close();
        long mappedBefore = mappedBytes();

        for (int i = 0; i < ROUNDS; i++) {
            AnonymousBackend.map(BYTES, 0).close();
        }

        assertTrue(mappedBytes() - mappedBefore < BYTES, "a mapping was left behind");
    }

    @Test
    void filesAreUnmapped() throws IOException {
        for (int i = 0; i < ROUNDS; i++) {
            MemfdBackend.map(1 << 20, 0).close();
        }

        assertEquals(0, mappingsNamed("memfd:aerostat-guest-ram"));
    }

    @Test
    void countsAFileThatIsStillMapped() throws IOException {
        try (MemfdBackend open = MemfdBackend.map(1 << 20, 0)) {
            assertEquals("memfd", open.backing());
            assertEquals(1, mappingsNamed("memfd:aerostat-guest-ram"));
        }
    }

    @Test
    void aRefusedMappingLeavesNothingBehind() throws IOException {
        BackendOptions tooMuch = BackendOptions.of(1L << 46, 0).withHugePages(HugePages.RESERVED);

        for (int i = 0; i < ROUNDS; i++) {
            assertThrows(OsException.class, () -> MemfdBackend.map(tooMuch));
        }

        assertEquals(0, descriptorsOf("memfd:aerostat-guest-ram"));
    }

    @Test
    void whatAlignmentTookBesideTheRamIsUnmapped() throws IOException {
        BackendOptions aligned = BackendOptions.of(1 << 20, 0).withHugePages(HugePages.HOST_POLICY);
        MemfdBackend.map(aligned).close();
        long mappedBefore = mappedBytes();

        for (int i = 0; i < ROUNDS; i++) {
            MemfdBackend.map(aligned).close();
        }

        // Each takes 2 MiB more than the RAM for a while.
        assertTrue(mappedBytes() - mappedBefore < (long) ROUNDS << 20, "a mapping was left behind");
    }

    @Test
    void descriptorsOfFilesAndProcessesAreClosed() throws IOException {
        AnonymousBackend.map(1 << 20, 0).close();
        MemfdBackend.map(1 << 20, 0).close();

        for (int i = 0; i < ROUNDS; i++) {
            AnonymousBackend.map(1 << 20, 0).close();
            MemfdBackend.map(1 << 20, 0).close();
        }

        assertEquals(0, descriptorsOf("pidfd"));
        assertEquals(0, descriptorsOf("memfd:aerostat-guest-ram"));
    }

    @Test
    void regionsOfFilesAreUnmappedAndTheirDescriptorsClosed() throws IOException {
        long page = LinuxMemory.pageBytes();
        try (RegionFiles files = new RegionFiles()) {
            int fd = files.file(8 * page);
            List<FileRegion> regions =
                    List.of(
                            new FileRegion(fd, 0, 0, 2 * page),
                            new FileRegion(fd, 4 * page, 4 * page, page));
            try (FileRegionsBackend open = FileRegionsBackend.map(regions)) {
                assertEquals("files", open.backing());
                assertEquals(2, mappingsNamed(RegionFiles.NAME));
                assertEquals(3, descriptorsOf(RegionFiles.NAME));
            }

            for (int i = 0; i < ROUNDS; i++) {
                FileRegionsBackend.map(regions).close();
            }

            assertEquals(0, mappingsNamed(RegionFiles.NAME));
            assertEquals(1, descriptorsOf(RegionFiles.NAME));
        }
    }

    private static long mappedBytes() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            String line = lines.filter(l -> l.startsWith("VmSize:")).findFirst().orElseThrow();
            return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
        }
    }

    static long mappingsNamed(String name) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(name)).count();
        }
    }

    static long descriptorsOf(String kind) throws IOException {
        long found = 0;
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                found += targetOf(descriptor).contains(kind) ? 1 : 0;
            }
        }
        return found;
    }

    private static String targetOf(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException gone) {
            return ""; // The listing's own descriptor.
        }
    }
}
