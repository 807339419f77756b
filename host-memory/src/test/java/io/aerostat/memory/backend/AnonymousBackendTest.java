package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.IoVectors;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

final class AnonymousBackendTest {
    private static final int PAGES = 64;
    private static final long GIB = 1L << 30;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "private memory is mapped on Linux alone");
    }

    @Test
    void manyRangesTakeOneCallForEach1024() {
        try (TestRam ram = mapped(5000, true)) {
            assumeTrue(isTogether(ram), "this kernel has no vectored discard for oneself");

            ram.reclaimer.discard(ram.everySecondPage(1024));
            assertEquals(1, ram.reclaimer.discardCalls());

            ram.reclaimer.discard(ram.everySecondPage(2500));
            assertEquals(1 + 3, ram.reclaimer.discardCalls());
        }
    }

    @Test
    void discardsTogetherWhereTheKernelCan() {
        boolean kernelCan = kernelDiscardsVectors();

        try (TestRam ram = mapped(PAGES, true)) {
            assertEquals(kernelCan, isTogether(ram));
        }
    }

    @Test
    void withoutVectorsEachRangeTakesACall() {
        try (TestRam ram = mapped(5000, false)) {
            ram.reclaimer.discard(ram.everySecondPage(2500));

            assertEquals(2500, ram.reclaimer.discardCalls());
            assertEquals("madvise(MADV_DONTNEED)", ram.backend.reclaimerName());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSingleRangeIsAPlainCall(boolean together) {
        try (TestRam ram = mapped(PAGES, together)) {
            ram.reclaimer.discard(ram.ranges(0, PAGES));

            assertEquals(1, ram.reclaimer.discardCalls());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void goesOnWhereTheKernelStopsAfterTwoGiB(boolean together) {
        long bytes = 5 * GIB;
        try (TestRam ram = new TestRam(map(bytes, together))) {
            long pages = bytes / ram.unitBytes;
            long middle = pages / 2;
            ram.touch(0, 1);
            ram.touch(middle - 1, 3);
            ram.touch(pages - 1, 1);

            PageRanges ranges = ram.ranges(0, middle, middle + 1, pages - middle - 1);
            long accepted = ram.reclaimer.discard(ranges);

            assertEquals(ranges.bytes(), accepted);
            assertEquals(ram.unitBytes, ram.backend.residentBytes());
            assertTrue(ram.holdsItsValue(middle));
            assertEquals(0, ram.backend.failedCalls());
        }
    }

    // Linux's own end of a call, 4 KiB short of 2 GiB, lies within a unit.
    @Test
    void aCallForSeveralRangesEndsWithAWholeUnit() {
        try (TestRam ram = new TestRam(map(3 * GIB, true))) {
            assumeTrue(isTogether(ram), "this kernel has no vectored discard for oneself");
            long most = NativeReclaimer.MAX_CALL_BYTES / ram.unitBytes;

            ram.reclaimer.discard(ram.ranges(0, most - 1, most, 1));
            assertEquals(1, ram.reclaimer.discardCalls());

            ram.reclaimer.discard(ram.ranges(0, most, most + 1, 1));
            assertEquals(1 + 2, ram.reclaimer.discardCalls());
            assertEquals(0, NativeReclaimer.MAX_CALL_BYTES % BackendOptions.MAX_UNIT_BYTES);
        }
    }

    // A bad range fails in the vectored call and once more by itself.
    @ParameterizedTest
    @CsvSource({"true, 2", "false, 1"})
    void countsAFailedCallAndGoesOnBehindIt(boolean together, int failedCalls) throws Throwable {
        try (LogLines lines = new LogLines(MemoryBackend.class);
                AnonymousBackend backend = map((long) PAGES * LinuxMemory.pageBytes(), together);
                TestRam ram = new TestRam(backend)) {
            assumeTrue(!together || isTogether(ram), "this kernel has no vectored discard");
            ram.touch(0, PAGES);
            TestLibc.mlock(backend.mapping().address() + 4L * ram.unitBytes, ram.unitBytes);

            long accepted = ram.reclaimer.discard(ram.ranges(0, 2, 4, 1, 8, 8));

            assertEquals(10L * ram.unitBytes, accepted);
            assertEquals(failedCalls, backend.failedCalls());
            assertEquals(PAGES - 10, ram.residentPages(0, PAGES));
            assertTrue(ram.holdsItsValue(4));
            assertEquals(1, lines.count());
        }
    }

    @Test
    void doesNotKnowResidencyWhenTheKernelRefusesToTell() {
        GuestRange range = NativeMapping.rangeOf(BackendOptions.of(GIB, TestRam.GPA));
        NativeMapping gone = NativeMapping.ofAnonymousMemory(range, HugePages.NEVER);
        PageReclaimer reclaimer = new NativeReclaimer(gone, (offset, bytes) -> {}, null);
        LinuxMemory.munmap(gone.address(), GIB);

        try (LogLines lines = new LogLines(MemoryBackend.class)) {
            assertEquals(PageReclaimer.UNKNOWN, reclaimer.residentBytes(TestRam.GPA, GIB));
            assertEquals(1, gone.tally().failures());
            assertEquals(1, lines.count());
        }
    }

    @Test
    void countsPagesAcrossTheChunksOfAResidencyQuestion() {
        try (TestRam ram = new TestRam(map(GIB, true))) {
            long chunkPages = 64 * 1024;
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
    void aPageThatWasOnlyReadCountsAsResident() {
        try (TestRam ram = mapped(PAGES, true)) {
            assertTrue(ram.isZero(3));

            assertEquals(1, ram.residentPages(0, PAGES));
        }
    }

    @ParameterizedTest
    @CsvSource({"NEVER, nh", "WANTED, hg"})
    void tellsTheKernelItsWishForHugePages(HugePages hugePages, String flag) throws IOException {
        assumeTrue(
                Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage")),
                "this kernel has no transparent huge pages");
        try (AnonymousBackend backend = AnonymousBackend.map(ofHugePages(hugePages))) {
            String flags = Smaps.line(backend.mapping().address(), "VmFlags");

            assertTrue(flags.contains(" " + flag), flags);
        }
    }

    @Test
    void leavesHugePagesToTheHostIfAskedTo() throws IOException {
        try (AnonymousBackend backend = AnonymousBackend.map(ofHugePages(HugePages.HOST_POLICY))) {
            String flags = Smaps.line(backend.mapping().address(), "VmFlags");

            assertFalse(flags.contains(" nh") || flags.contains(" hg"), flags);
        }
    }

    @Test
    void onlyBuffersAreSplitIntoRegions() {
        try (TestRam ram = new TestRam(map(3 * GIB, true))) {
            int regions = RamAccess.supportsRawAddresses() ? 1 : 3;

            assertEquals(regions, ram.backend.memory().regionCount());
        }
    }

    @Test
    void buffersShowTheSameBytesAsTheMapping() {
        try (AnonymousBackend backend = map((long) PAGES * LinuxMemory.pageBytes(), true);
                TestRam ram = new TestRam(backend)) {
            GuestMemory buffers = backend.mapping().memoryInBuffers(10 * ram.unitBytes);
            RamAccess access = RamAccess.of(buffers, ram.gpa(0), (long) PAGES * ram.unitBytes);
            ram.touch(0, PAGES);
            RamAccess direct = RamAccess.of(backend.memory(), ram.gpa(0), access.length());

            assertEquals(7, buffers.regionCount());
            for (long at = 0; at < access.length(); at += 512) {
                assertEquals(direct.getLong(at), access.getLong(at));
            }
        }
    }

    private static boolean isTogether(TestRam ram) {
        return ram.backend.reclaimerName().startsWith("process_madvise");
    }

    private static boolean kernelDiscardsVectors() {
        int pidfd = LinuxMemory.pidfdOpen(ProcessHandle.current().pid());
        try (AnonymousBackend scratch = map(LinuxMemory.pageBytes(), false)) {
            IoVectors vectors = new IoVectors(1);
            vectors.add(scratch.mapping().address(), LinuxMemory.pageBytes());
            LinuxMemory.processMadvise(pidfd, vectors, LinuxMemory.MADV_DONTNEED);
            return true;
        } catch (OsException refused) {
            return false;
        } finally {
            LinuxMemory.close(pidfd);
        }
    }

    private static BackendOptions ofHugePages(HugePages hugePages) {
        return BackendOptions.of(8 << 20, 0).withHugePages(hugePages);
    }

    private static TestRam mapped(long pages, boolean together) {
        return new TestRam(map(pages * LinuxMemory.pageBytes(), together));
    }

    private static AnonymousBackend map(long bytes, boolean together) {
        return AnonymousBackend.map(BackendOptions.of(bytes, TestRam.GPA), together);
    }
}
