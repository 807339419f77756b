package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.memory.os.FileStatus;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;

/** What is special about RAM in another's files; the contract test has the rest. */
final class FileRegionsBackendTest {
    private static final long GPA = TestRam.GPA;
    private static final long MARK = 0x5AFE_0000_0000_0007L;

    private final RegionFiles files = new RegionFiles();
    private long page;

    @BeforeEach
    void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "files in memory exist on Linux alone");
        page = LinuxMemory.pageBytes();
    }

    @AfterEach
    void closeFiles() {
        files.close();
    }

    @Test
    void theGuestSeesTheFileFromTheRegionsOffsetOn() throws IOException {
        int fd = files.file(16 * page);
        RegionFiles.write(fd, 3 * page, MARK);
        RegionFiles.write(fd, 9 * page, MARK + 1);

        try (FileRegionsBackend backend = map(new FileRegion(fd, 3 * page, GPA, 8 * page))) {
            assertEquals(MARK, valueAt(backend, GPA));
            assertEquals(MARK + 1, valueAt(backend, GPA + 6 * page));
            put(backend, GPA + 7 * page, MARK + 2);
        }

        assertEquals(MARK + 2, RegionFiles.read(fd, 10 * page));
    }

    @Test
    void whatLiesBetweenRegionsIsNotRam() {
        int fd = files.file(8 * page);
        try (FileRegionsBackend backend = mapWithGap(fd)) {
            assertEquals(6 * page, backend.memory().bytes());
            assertTrue(backend.memory().contains(GPA, 2 * page));
            assertTrue(backend.memory().contains(GPA + 16 * page, 4 * page));
            assertFalse(backend.memory().contains(GPA + 2 * page, page));
            for (PageRanges notRam :
                    new PageRanges[] {pages(1, 2), pages(2, 14), pages(0, 20), pages(15, 1)}) {
                assertThrows(
                        IllegalArgumentException.class, () -> backend.reclaimer().discard(notRam));
            }
            assertThrows(
                    IllegalArgumentException.class,
                    () -> backend.reclaimer().residentBytes(GPA, 20 * page));
            assertEquals(0, backend.reclaimer().discardCalls());
        }
    }

    @Test
    void regionsOfOneFileWithAGapAreGivenBackEach() {
        int fd = files.file(8 * page);
        try (FileRegionsBackend backend = mapWithGap(fd)) {
            fill(backend, GPA, 2);
            fill(backend, GPA + 16 * page, 4);

            long accepted = backend.reclaimer().discard(pages(1, 1, 17, 2));

            assertEquals(3 * page, accepted);
            assertEquals(3 * page, backend.residentBytes());
            assertEquals(3 * page, LinuxMemory.allocatedBytes(fd));
            assertHolds(backend, true, 0, 16, 19);
            assertHolds(backend, false, 1, 17, 18);
        }
    }

    // The balloon takes its pages back whether their region is attached or not.
    @Test
    void reusesPagesOfARegionThatIsDetached() {
        int fd = files.file(8 * page);
        try (FileRegionsBackend backend = mapWithGap(fd)) {
            backend.memory().detach(backend.memory().region(0));

            assertDoesNotThrow(() -> backend.reclaimer().reuse(pages(0, 2, 16, 4)));
            assertThrows(
                    IllegalArgumentException.class, () -> backend.reclaimer().reuse(pages(0, 3)));
        }
    }

    @Test
    void aFileIsCountedOnceWhateverDescriptorsItHas() {
        int fd = files.file(8 * page);
        int another = LinuxMemory.duplicate(fd);
        int other = files.file(4 * page);
        try (FileRegionsBackend backend =
                map(
                        new FileRegion(fd, 0, GPA, 4 * page),
                        new FileRegion(another, 4 * page, GPA + 8 * page, 4 * page),
                        new FileRegion(other, 0, GPA + 4 * page, 4 * page))) {
            fill(backend, GPA, 12);

            assertEquals(12 * page, backend.residentBytes());
        } finally {
            LinuxMemory.close(another);
        }
    }

    @Test
    void whatTheFileHoldsBesideTheRegionsCountsAsResident() throws IOException {
        int fd = files.file(8 * page);
        RegionFiles.write(fd, 0, MARK);
        RegionFiles.write(fd, page, MARK);

        try (FileRegionsBackend backend = map(new FileRegion(fd, 2 * page, GPA, 6 * page))) {
            fill(backend, GPA, 1);

            assertEquals(3 * page, backend.residentBytes());
            assertEquals(page, backend.reclaimer().residentBytes(GPA, 6 * page));
        }
    }

    @Test
    void aRangeGoesFromOneRegionIntoTheNext() throws IOException {
        int first = files.file(8 * page);
        int second = files.file(8 * page);
        try (FileRegionsBackend backend =
                map(
                        new FileRegion(second, 4 * page, GPA + 4 * page, 4 * page),
                        new FileRegion(first, page, GPA, 4 * page))) {
            fill(backend, GPA, 8);

            long accepted = backend.reclaimer().discard(pages(2, 5));

            assertEquals(5 * page, accepted);
            assertEquals(2, backend.reclaimer().discardCalls());
            assertEquals(2 * page, LinuxMemory.allocatedBytes(first));
            assertEquals(page, LinuxMemory.allocatedBytes(second));
            assertEquals(MARK + 1, RegionFiles.read(first, 2 * page));
            assertEquals(MARK + 7, RegionFiles.read(second, 7 * page));
            assertEquals(0, RegionFiles.read(first, 3 * page));
            assertEquals(0, RegionFiles.read(second, 6 * page));
            assertHolds(backend, true, 0, 1, 7);
            assertHolds(backend, false, 2, 3, 4, 5, 6);
        }
    }

    @Test
    void aHoleInOneRegionLeavesTheFilesOtherPartsAlone() throws IOException {
        int fd = files.file(8 * page);
        for (int i = 0; i < 8; i++) {
            RegionFiles.write(fd, i * page, MARK + i);
        }

        try (FileRegionsBackend backend = map(new FileRegion(fd, 3 * page, GPA, 2 * page))) {
            backend.reclaimer().discard(pages(0, 2));
        }

        for (int i = 0; i < 8; i++) {
            long expected = i == 3 || i == 4 ? 0 : MARK + i;
            assertEquals(expected, RegionFiles.read(fd, i * page), "page " + i);
        }
        assertEquals(8 * page, sizeOf(fd));
    }

    @Test
    void theCallersDescriptorsMayBeClosedAtOnce() {
        int fd = files.file(8 * page);
        try (FileRegionsBackend backend = mapWithGap(fd)) {
            files.close();
            fill(backend, GPA, 2);

            assertEquals(page, backend.reclaimer().discard(pages(1, 1)));
            assertEquals(page, backend.residentBytes());
            assertEquals(0, backend.failedCalls());
        }
    }

    // A process's descriptor takes the place of the file's: no holes can be punched into that.
    @Test
    void countsAFailureOfOneRegionAndGoesOnWithTheNext() throws Throwable {
        int fd = files.file(8 * page);
        try (LogLines lines = new LogLines(MemoryBackend.class);
                FileRegionsBackend backend =
                        map(
                                new FileRegion(fd, 0, GPA, 4 * page),
                                new FileRegion(fd, 4 * page, GPA + 4 * page, 4 * page))) {
            fill(backend, GPA, 8);
            int process = LinuxMemory.pidfdOpen(ProcessHandle.current().pid());
            TestLibc.dup2(process, backend.regions()[0].fileDescriptor());
            LinuxMemory.close(process);

            long accepted = backend.reclaimer().discard(pages(2, 4));

            assertEquals(2 * page, accepted);
            assertEquals(1, backend.failedCalls());
            assertEquals(1, lines.count());
            assertEquals(2, backend.reclaimer().discardCalls());
            assertHolds(backend, true, 2, 3, 6);
            assertHolds(backend, false, 4, 5);
        }
    }

    @Test
    void aFileThatIsTruncatedLaterFailsNoCall() {
        int fd = files.file(8 * page);
        try (FileRegionsBackend backend = map(new FileRegion(fd, 0, GPA, 8 * page))) {
            fill(backend, GPA, 8);

            LinuxMemory.ftruncate(fd, 2 * page);

            assertEquals(2 * page, backend.residentBytes());
            assertEquals(2 * page, backend.reclaimer().residentBytes(GPA, 8 * page));
            assertEquals(7 * page, backend.reclaimer().discard(pages(1, 7)));
            backend.reclaimer().reuse(pages(0, 8));
            assertEquals(page, backend.residentBytes());
            assertEquals(2 * page, sizeOf(fd));
            assertEquals(0, backend.failedCalls());
            assertHolds(backend, true, 0);
        }
    }

    @Test
    void theUnitOfAFileOfHugePagesIsAHugePage() {
        int huge = BackendKind.HUGE_PAGE_BYTES;
        int fd = files.hugeFile(4L * huge);
        int small = files.file(2L * huge);
        try (FileRegionsBackend backend =
                map(
                        new FileRegion(fd, huge, GPA, 2L * huge),
                        new FileRegion(small, 0, GPA + 4L * huge, huge))) {
            PageRanges unit = new PageRanges(1);
            unit.add(GPA / RamRegion.PAGE_BYTES, huge / RamRegion.PAGE_BYTES);

            assertEquals(huge, backend.reclaimer().granularityBytes());
            assertEquals(huge, backend.reclaimer().discard(unit));
            assertThrows(
                    IllegalArgumentException.class, () -> backend.reclaimer().discard(pages(0, 1)));
            assertEquals(0, backend.residentBytes());
            assertEquals(0, backend.failedCalls());
        }
    }

    private FileRegionsBackend mapWithGap(int fd) {
        return map(
                new FileRegion(fd, 4 * page, GPA + 16 * page, 4 * page),
                new FileRegion(fd, 0, GPA, 2 * page));
    }

    private static FileRegionsBackend map(FileRegion... regions) {
        return FileRegionsBackend.map(List.of(regions));
    }

    /** Pairs of first page and number of pages, counted from {@link #GPA}. */
    private PageRanges pages(long... firstAndCount) {
        PageRanges ranges = new PageRanges(firstAndCount.length / 2);
        long guestPages = page / RamRegion.PAGE_BYTES;
        for (int i = 0; i < firstAndCount.length; i += 2) {
            ranges.add(
                    GPA / RamRegion.PAGE_BYTES + firstAndCount[i] * guestPages,
                    Math.toIntExact(firstAndCount[i + 1] * guestPages));
        }
        return ranges;
    }

    private void fill(FileRegionsBackend backend, long gpa, int pages) {
        for (int i = 0; i < pages; i++) {
            long at = gpa + i * page;
            RamAccess.of(backend.memory(), at, page).putLong(0, MARK + (at - GPA) / page);
        }
    }

    private void assertHolds(FileRegionsBackend backend, boolean kept, int... pages) {
        for (int i : pages) {
            RamAccess access = RamAccess.of(backend.memory(), GPA + i * page, page);
            assertEquals(kept ? MARK + i : 0, access.getLong(0), "page " + i);
        }
    }

    private static long valueAt(FileRegionsBackend backend, long gpa) {
        return RamAccess.of(backend.memory(), gpa, Long.BYTES).getLong(0);
    }

    private static void put(FileRegionsBackend backend, long gpa, long value) {
        RamAccess.of(backend.memory(), gpa, Long.BYTES).putLong(0, value);
    }

    private static long sizeOf(int fd) {
        return FileStatus.of(fd).sizeBytes();
    }
}
