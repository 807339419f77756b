package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.LinuxMemory;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

final class UnloadBackendTest {
    private static final int PAGES = 64;
    private static final long GIB = 1L << 30;
    // The slash tells it from a file in memory.
    private static final String FILE_NAME = "/aerostat-guest-ram";
    private static final Path IN_MEMORY = Path.of("/dev/shm");

    @TempDir Path directory;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "pages that are unloaded are gone on Linux alone");
    }

    @Test
    void givesPagesBackInAJvmThatRefusesNativeCalls() throws Exception {
        assumeTrue(Runtime.version().feature() >= 24, "this JVM has no flag to refuse them");
        Path output = directory.resolve("output");
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--illegal-native-access=deny",
                                "-Xmx64m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                WithoutNativeAccess.class.getName())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();

        boolean ended = child.waitFor(60, TimeUnit.SECONDS);
        child.destroyForcibly();

        assertTrue(ended, "the program did not end");
        List<String> lines = Files.readAllLines(output);
        assertEquals(0, child.exitValue(), lines::toString);
        assertEquals(WithoutNativeAccess.DONE, lines.getLast());
    }

    @Test
    void findsTheHostsPageByTrial() {
        assertEquals(LinuxMemory.pageBytes(), UnloadProbe.leastUnitBytes(directory));
    }

    @Test
    void givesBackAcrossTheMappingsOfALargeRam() {
        long bytes = 5 * GIB;
        try (TestRam ram = new TestRam(map(bytes))) {
            long pages = bytes / ram.unitBytes;
            long edge = GIB / ram.unitBytes;
            ram.touch(0, 1);
            ram.touch(edge - 1, 2);
            ram.touch(2 * edge - 1, 2);
            ram.touch(pages - 1, 1);
            assertEquals(6L * ram.unitBytes, ram.backend.residentBytes());

            PageRanges ranges = ram.ranges(edge - 1, 2, 2 * edge, pages - 2 * edge);
            long accepted = ram.reclaimer.discard(ranges);

            assertEquals(ranges.bytes(), accepted);
            assertEquals(2L * ram.unitBytes, ram.backend.residentBytes());
            assertTrue(ram.holdsItsValue(0) && ram.holdsItsValue(2 * edge - 1));
            assertTrue(ram.isZero(edge - 1) && ram.isZero(edge) && ram.isZero(pages - 1));
        }
    }

    @Test
    void mappingsOfOneFileDoNotSeeEachOther() {
        BackendOptions options = BackendOptions.of(4L * LinuxMemory.pageBytes(), TestRam.GPA);
        try (TestRam ram = new TestRam(UnloadBackends.map(options, LinuxMemory.pageBytes()))) {
            ram.touch(0, 1);
            ram.touch(2, 1);

            assertEquals(4, ram.backend.buffers().size());
            assertTrue(ram.holdsItsValue(0) && ram.holdsItsValue(2));
            assertTrue(ram.isZero(1) && ram.isZero(3));
        }
    }

    @Test
    void countsPagesAcrossTheChunksOfAResidencyQuestion() {
        try (TestRam ram = new TestRam(map(GIB))) {
            long chunkPages = 8192;
            ram.touch(0, 1);
            ram.touch(chunkPages - 1, 2);
            ram.touch(2 * chunkPages + 5, 1);

            assertEquals(4L * ram.unitBytes, ram.backend.residentBytes());
            assertEquals(3, ram.residentPages(0, chunkPages + 8));
            assertEquals(2, ram.residentPages(chunkPages - 1, chunkPages + 6));
            assertEquals(3, ram.residentPages(chunkPages - 1, chunkPages + 7));
        }
    }

    @Test
    void aPageThatWasOnlyReadTakesNoMemoryOfItsOwn() {
        try (TestRam ram = new TestRam(map(16L << 20))) {
            assertTrue(ram.isZero(3));

            assertEquals(0, ram.residentPages(0, PAGES));
        }
    }

    @Test
    void itsFileHasNoNameAndTakesNoRoom() throws IOException {
        BackendOptions options = BackendOptions.of(16L << 20, TestRam.GPA);
        try (TestRam ram = new TestRam(UnloadBackend.map(options, directory));
                Stream<Path> files = Files.list(directory)) {
            ram.touch(0, PAGES);

            assertEquals(List.of(), files.toList());
            assertEquals(1, MappingLeakTest.mappingsNamed(FILE_NAME));
            assertEquals(0, MappingLeakTest.descriptorsOf(FILE_NAME));
        }
    }

    @Test
    void leavesNothingBehind() throws IOException {
        for (int i = 0; i < 100; i++) {
            map(16L << 20).close();
        }

        assertEquals(0, MappingLeakTest.mappingsNamed(FILE_NAME));
        assertEquals(0, MappingLeakTest.descriptorsOf(FILE_NAME));
    }

    @Test
    void aDirectoryThatCannotTakeItsFileIsNamed() {
        BackendOptions options = BackendOptions.of(16L << 20, TestRam.GPA);
        Path nowhere = directory.resolve("nowhere");

        UncheckedIOException refused =
                assertThrows(UncheckedIOException.class, () -> UnloadBackend.map(options, nowhere));

        assertTrue(refused.getMessage().endsWith("directory=" + nowhere), refused.getMessage());
    }

    // A page of the file that has no room there would be a SIGBUS when the guest touches it.
    @Test
    void refusesAFileSystemInMemoryThatIsTooSmall() {
        assertDoesNotThrow(() -> PrivateFileMapping.requireRoom(GIB, GIB, GIB));
        assertDoesNotThrow(() -> PrivateFileMapping.requireRoom(0, 0, GIB));

        IOException refused =
                assertThrows(
                        IOException.class,
                        () -> PrivateFileMapping.requireRoom(2 * GIB, GIB - 1, GIB));

        assertTrue(refused.getMessage().contains("choose a directory on a disk"));
    }

    @Test
    void refusesReservedHugePages() {
        BackendOptions options =
                BackendOptions.of(16L << 20, TestRam.GPA).withHugePages(HugePages.RESERVED);

        assertThrows(IllegalArgumentException.class, () -> UnloadBackend.map(options));
    }

    @Test
    void warnsOfADirectoryInMemory() {
        assumeTrue(PrivateFileMapping.isInMemory(IN_MEMORY), "there is none");
        BackendOptions options = BackendOptions.of(16L << 20, TestRam.GPA);

        try (LogLines lines = new LogLines(UnloadBackend.class);
                TestRam ram = new TestRam(UnloadBackend.map(options, IN_MEMORY))) {
            assertEquals(1, lines.count());
            assertTrue(lines.last().endsWith("directory=" + IN_MEMORY), lines.last());
            assertEquals(0, ram.backend.residentBytes());
        }
    }

    @Test
    void aHostThatDoesNotUnloadIsToldNothing() {
        BackendOptions options = BackendOptions.of(16L << 20, TestRam.GPA);
        try (TestRam ram =
                new TestRam(UnloadBackend.map(options, directory, UnloadProbe.NONE, 1 << 20))) {
            ram.touch(0, PAGES);

            long accepted = ram.reclaimer.discard(ram.ranges(0, PAGES));

            assertEquals(0, accepted);
            assertEquals(0, ram.reclaimer.discardCalls());
            assertEquals(PageReclaimer.Content.UNCHANGED, ram.reclaimer.contentAfterDiscard());
            assertEquals(PageReclaimer.UNKNOWN, ram.backend.residentBytes());
            assertTrue(ram.holdsItsValue(0) && ram.holdsItsValue(PAGES - 1));
            assertTrue(ram.backend.reclaimerName().contains("nothing is returned"));
        }
    }

    // A locked page: the kernel refuses to drop it.
    @Test
    void countsAFailedCallAndGoesOnBehindIt() throws Throwable {
        try (LogLines lines = new LogLines(MemoryBackend.class);
                TestRam ram = new TestRam(map(16L << 20))) {
            ram.touch(0, PAGES);
            ByteBuffer first = ram.backend.buffers().getFirst();
            long address = MemorySegment.ofBuffer(first).address();
            TestLibc.mlock(address + 4L * ram.unitBytes, ram.unitBytes);

            long accepted = ram.reclaimer.discard(ram.ranges(0, 2, 4, 1, 8, 8));

            assertEquals(10L * ram.unitBytes, accepted);
            assertEquals(1, ram.backend.failedCalls());
            assertEquals(3, ram.reclaimer.discardCalls());
            assertTrue(ram.holdsItsValue(4));
            assertEquals(1, lines.count());
        }
    }

    @Test
    void aBufferCannotBeReachedAfterClose() {
        UnloadBackend backend = map(16L << 20);
        ByteBuffer buffer = backend.buffers().getFirst();
        buffer.put(0, (byte) 1);

        backend.close();

        assertThrows(IllegalStateException.class, () -> buffer.get(0));
        assertThrows(IllegalStateException.class, () -> buffer.put(0, (byte) 1));
    }

    @Test
    void asksForMoreThanTheHostsPageIfTold() {
        BackendOptions options =
                BackendOptions.of(16L << 20, TestRam.GPA)
                        .withUnitBytes(BackendOptions.MAX_UNIT_BYTES);

        try (UnloadBackend backend = UnloadBackend.map(options, directory)) {
            assertEquals(BackendOptions.MAX_UNIT_BYTES, backend.reclaimer().granularityBytes());
            assertFalse(backend.backing().isEmpty());
        }
    }

    private UnloadBackend map(long bytes) {
        return UnloadBackend.map(BackendOptions.of(bytes, TestRam.GPA), directory);
    }
}
