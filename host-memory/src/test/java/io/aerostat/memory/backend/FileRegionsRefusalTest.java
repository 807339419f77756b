package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.CLibrary;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** What a peer may send and gets refused, with nothing left mapped or open. */
final class FileRegionsRefusalTest {
    private static final int ROUNDS = 50;

    private final RegionFiles files = new RegionFiles();
    private long page;
    private int fd;

    @BeforeEach
    void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "files in memory exist on Linux alone");
        page = LinuxMemory.pageBytes();
        fd = files.file(8 * page);
    }

    @AfterEach
    void closeFiles() {
        files.close();
    }

    @Test
    void noRegion() throws IOException {
        assertRefused("regions=0", List.of());
    }

    @Test
    void tooManyRegions() throws IOException {
        List<FileRegion> regions = new ArrayList<>();
        for (int i = 0; i < FileRegionsBackend.MAX_REGIONS; i++) {
            regions.add(new FileRegion(fd, 0, i * page, page));
        }
        FileRegionsBackend.map(regions).close();
        regions.add(new FileRegion(fd, 0, 1L << 40, page));

        assertRefused("regions=65", regions);
    }

    @Test
    void regionsThatOverlap() throws IOException {
        FileRegion first = new FileRegion(fd, 0, 4 * page, 4 * page);

        assertRefused("overlap", List.of(first, new FileRegion(fd, 0, 7 * page, page)));
        assertRefused("overlap", List.of(new FileRegion(fd, 0, page, 4 * page), first));
        assertRefused("overlap", List.of(first, first));
        FileRegionsBackend.map(List.of(first, new FileRegion(fd, 0, 8 * page, page))).close();
    }

    @Test
    void regionsThatWrap() {
        for (long[] offsetAndGpa :
                new long[][] {
                    {0, Long.MAX_VALUE & -page},
                    {Long.MAX_VALUE & -page, 0},
                    {0, -page},
                    {-page, 0}
                }) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new FileRegion(fd, offsetAndGpa[0], offsetAndGpa[1], page));
        }
        for (long bytes : new long[] {0, -page, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThrows(
                    IllegalArgumentException.class, () -> new FileRegion(fd, page, page, bytes));
        }
        assertThrows(IllegalArgumentException.class, () -> new FileRegion(-1, 0, 0, page));
    }

    @Test
    void regionsThatAreNotWholePages() throws IOException {
        long half = page / 2;
        FileRegion good = new FileRegion(fd, 0, 16 * page, page);

        assertRefused("whole pages", List.of(good, new FileRegion(fd, half, 0, page)));
        assertRefused("whole pages", List.of(good, new FileRegion(fd, 0, half, page)));
        assertRefused("whole pages", List.of(good, new FileRegion(fd, 0, 0, half)));
    }

    @Test
    void partsOfHugePages() throws IOException {
        long huge = BackendKind.HUGE_PAGE_BYTES;
        int hugeFd = files.hugeFile(4 * huge);

        assertRefused("pageBytes=2097152", List.of(new FileRegion(hugeFd, 0, huge + page, huge)));
        assertRefused(
                "pageBytes=2097152", List.of(new FileRegion(hugeFd, page, huge + page, huge)));
        assertRefused("pageBytes=2097152", List.of(new FileRegion(hugeFd, 0, 0, huge + page)));
        assertRefused(
                "pageBytes=2097152",
                List.of(new FileRegion(hugeFd, 0, 0, huge), new FileRegion(fd, 0, huge, page)));
    }

    @Test
    void aFileShorterThanItsRegion() throws IOException {
        FileRegion good = new FileRegion(fd, 0, 16 * page, page);

        assertRefused("shorter", List.of(good, new FileRegion(fd, 0, 32 * page, 9 * page)));
        assertRefused("shorter", List.of(good, new FileRegion(fd, 8 * page, 32 * page, page)));
        LinuxMemory.ftruncate(fd, 8 * page - 1);
        assertRefused("shorter", List.of(good, new FileRegion(fd, 7 * page, 32 * page, page)));
    }

    @Test
    void whatIsNoFileWithALength() throws IOException {
        int process = LinuxMemory.pidfdOpen(ProcessHandle.current().pid());
        try {
            assertRefused("fileBytes=0", List.of(new FileRegion(process, 0, 0, page)));
        } finally {
            LinuxMemory.close(process);
        }
    }

    @Test
    void moreThanAProcessCanMap() throws IOException {
        long most = FileRegionsBackend.MAX_BYTES;
        LinuxMemory.ftruncate(fd, 4 * most);

        assertRefused("more RAM", List.of(new FileRegion(fd, 0, 0, most + page)));
        assertRefused(
                "more RAM",
                List.of(new FileRegion(fd, 0, 0, page), new FileRegion(fd, 0, 4 * most, most)));
    }

    @Test
    void aFileThatMayNotBeWritten() throws Throwable {
        int readOnly = openToRead("/proc/self/fd/" + fd);
        List<FileRegion> regions =
                List.of(
                        new FileRegion(fd, 0, 0, page),
                        new FileRegion(readOnly, 0, 16 * page, page));
        try {
            for (int i = 0; i < ROUNDS; i++) {
                OsException refused =
                        assertThrows(OsException.class, () -> FileRegionsBackend.map(regions));
                assertEquals("EACCES", refused.errnoName());
            }
            assertEquals(2, MappingLeakTest.descriptorsOf(RegionFiles.NAME));
            assertEquals(0, MappingLeakTest.mappingsNamed(RegionFiles.NAME));
        } finally {
            LinuxMemory.close(readOnly);
        }
    }

    @Test
    void aDescriptorThatIsNotOpen() throws IOException {
        List<FileRegion> regions =
                List.of(
                        new FileRegion(fd, 0, 0, page),
                        new FileRegion(Integer.MAX_VALUE, 0, 16 * page, page));

        OsException refused =
                assertThrows(OsException.class, () -> FileRegionsBackend.map(regions));

        assertEquals("EBADF", refused.errnoName());
        assertEquals(0, MappingLeakTest.mappingsNamed(RegionFiles.NAME));
    }

    private static void assertRefused(String reason, List<FileRegion> regions) throws IOException {
        long openBefore = MappingLeakTest.descriptorsOf(RegionFiles.NAME);
        for (int i = 0; i < ROUNDS; i++) {
            IllegalArgumentException refused =
                    assertThrows(
                            IllegalArgumentException.class, () -> FileRegionsBackend.map(regions));
            assertTrue(refused.getMessage().contains(reason), refused.getMessage());
        }
        assertEquals(openBefore, MappingLeakTest.descriptorsOf(RegionFiles.NAME));
        assertEquals(0, MappingLeakTest.mappingsNamed(RegionFiles.NAME));
    }

    private static int openToRead(String path) throws Throwable {
        MethodHandle open =
                CLibrary.variadicFunction(
                        2, "open", ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path);
            int fd = (int) open.invokeExact(CLibrary.state(), name, 0);
            assertTrue(fd >= 0, "the test could not open its own file");
            return fd;
        }
    }
}
