package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.PageReclaimer.Content;
import io.aerostat.memory.backend.LogLines;
import io.aerostat.memory.backend.TestLibc;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;

/** What is given back of memory that others have allocated, and what is never touched. */
final class AdviceReclaimerTest {
    private static final String KINDS = "io.aerostat.memory.own.OwnRam$Kind#here";
    private static final int PAGES = 32;
    private static final int WRITTEN = 0x5A;

    private final LogLines lines = new LogLines(AdviceReclaimer.class);

    @AfterEach
    void closeLog() {
        lines.close();
    }

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "memory is given back on Linux alone");
    }

    @ParameterizedTest
    @MethodSource(KINDS)
    void discardedPagesAreGoneAndTheirNeighboursKept(OwnRam.Kind kind) {
        try (OwnRam ram = OwnRam.of(kind, PAGES)) {
            ram.fill(WRITTEN);
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            PageRanges ranges = ram.ranges(0, 1, 3, 9, PAGES - 1, 1);

            long accepted = reclaimer.discard(ranges);

            assertEquals(ranges.bytes(), accepted);
            assertEquals(3, reclaimer.discardCalls());
            assertEquals(0, reclaimer.failedCalls());
            int left = kind.isZeroAfterwards() ? 0 : OwnRam.IN_FILE;
            for (int page = 0; page < PAGES; page++) {
                boolean given = page == 0 || (page >= 3 && page < 12) || page == PAGES - 1;
                assertTrue(ram.pageHolds(page, given ? left : WRITTEN), "page " + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(KINDS)
    void saysWhatDiscardedPagesHold(OwnRam.Kind kind) {
        try (OwnRam ram = OwnRam.of(kind, PAGES)) {
            Content content = kind.isZeroAfterwards() ? Content.ZERO : Content.UNDEFINED;

            assertEquals(content, AdviceReclaimer.of(ram.memory).contentAfterDiscard());
        }
    }

    @ParameterizedTest
    @MethodSource(KINDS)
    void residencyFallsByWhatWasAccepted(OwnRam.Kind kind) throws IOException {
        try (OwnRam ram = OwnRam.of(kind, PAGES)) {
            ram.fill(WRITTEN);
            long length = ram.region.length();
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            assertEquals(length, reclaimer.residentBytes(OwnRam.GPA, length));

            long accepted = reclaimer.discard(ram.ranges(3, 9, 20, 2));

            long resident = ram.residentBytes();
            assertTrue(resident >= length - accepted, "residentBytes=" + resident);
            assertTrue(resident <= length - kind.leastFall(accepted), "residentBytes=" + resident);
            assertEquals(resident, reclaimer.residentBytes(OwnRam.GPA, length));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 2048, 4088})
    void noByteOutsideARangeIsTouched(int shift) {
        int page = LinuxMemory.pageBytes();
        ByteBuffer around = ByteBuffer.allocateDirect((PAGES + 3) * page).alignedSlice(page);
        for (int i = 0; i < around.capacity(); i++) {
            around.put(i, (byte) WRITTEN);
        }
        int start = page + shift;
        try (OwnRam ram = OwnRam.of(around.slice(start, PAGES * page))) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            long accepted = reclaimer.discard(ram.ranges(0, 4, 10, 1, 20, PAGES - 20));

            // A page less of each range: of the second, nothing is left.
            assertEquals((3L + PAGES - 21) * page, accepted);
            assertEquals(2, reclaimer.discardCalls());
            for (int i = 0; i < around.capacity(); i++) {
                boolean gone = isIn(i, 2, 3, page) || isIn(i, 22, PAGES - 21, page);
                assertEquals(gone ? 0 : WRITTEN, around.get(i), "byte " + i);
            }
        }
    }

    private static boolean isIn(int at, int firstPage, int pages, int page) {
        return at >= firstPage * page && at < (firstPage + pages) * page;
    }

    @Test
    void unalignedRamIsReallyReturnedToTheHost() throws IOException {
        int page = LinuxMemory.pageBytes();
        ByteBuffer around = ByteBuffer.allocateDirect((PAGES + 3) * page).alignedSlice(page);
        try (OwnRam ram = OwnRam.of(around.slice(16, PAGES * page))) {
            ram.fill(WRITTEN);
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            long before = ram.residentBytes();

            long accepted = reclaimer.discard(ram.ranges(0, PAGES));

            assertEquals((PAGES - 1L) * page, accepted);
            assertEquals(before - accepted, ram.residentBytes());
            assertEquals(Content.UNDEFINED, reclaimer.contentAfterDiscard());
            assertEquals(
                    PageReclaimer.UNKNOWN,
                    reclaimer.residentBytes(OwnRam.GPA, ram.region.length()));
        }
    }

    @Test
    void memoryInTheJavaHeapIsLeftAlone() {
        try (OwnRam ram = OwnRam.of(ByteBuffer.allocate(PAGES * LinuxMemory.pageBytes()))) {
            ram.fill(WRITTEN);
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            long accepted = reclaimer.discard(ram.ranges(0, PAGES));

            assertEquals(0, accepted);
            assertEquals(0, reclaimer.discardCalls());
            assertEquals(Content.UNCHANGED, reclaimer.contentAfterDiscard());
            assertEquals(PageReclaimer.UNKNOWN, reclaimer.residentBytes(OwnRam.GPA, ram.page));
            assertTrue(ram.holds(0, ram.region.length(), WRITTEN));
        }
    }

    @Test
    void aRangeMayLieInRegionsOfDifferentKinds() {
        int page = LinuxMemory.pageBytes();
        ByteBuffer direct =
                ByteBuffer.allocateDirect(5 * page).alignedSlice(page).slice(0, 4 * page);
        ByteBuffer heap = ByteBuffer.allocate(4 * page);
        try (OwnRam shared = OwnRam.of(OwnRam.Kind.SHARED_FILE_IN_MEMORY, 4)) {
            shared.fill(WRITTEN);
            direct.put(0, (byte) WRITTEN).put(4 * page - 1, (byte) WRITTEN);
            heap.put(0, (byte) WRITTEN).put(4 * page - 1, (byte) WRITTEN);
            GuestMemory memory =
                    GuestMemory.of(
                            shared.region,
                            RamRegion.ofBuffer(OwnRam.GPA + 4L * page, heap),
                            RamRegion.ofBuffer(OwnRam.GPA + 8L * page, direct));
            AdviceReclaimer reclaimer = AdviceReclaimer.of(memory);

            long accepted = reclaimer.discard(shared.ranges(2, 9));

            assertEquals(5L * page, accepted);
            assertEquals(2, reclaimer.discardCalls());
            assertEquals(Content.UNDEFINED, reclaimer.contentAfterDiscard());
            assertTrue(shared.pageHolds(1, WRITTEN) && shared.pageHolds(2, 0));
            assertEquals(WRITTEN, heap.get(0));
            assertEquals(0, direct.get(0));
            assertEquals(WRITTEN, direct.get(4 * page - 1));
        }
    }

    // Locked after it was looked at: the kernel refuses to drop it.
    @Test
    void countsAFailedCallAndAcceptsNothingOfIt() throws Throwable {
        try (OwnRam ram = OwnRam.of(OwnRam.Kind.ALIGNED_SLICE, PAGES)) {
            ram.fill(WRITTEN);
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            TestLibc.mlock(ram.address() + 4L * ram.page, ram.page);

            long accepted = reclaimer.discard(ram.ranges(0, 2, 4, 1, 8, 8));

            TestLibc.munlock(ram.address() + 4L * ram.page, ram.page);
            assertEquals(10L * ram.page, accepted);
            assertEquals(1, reclaimer.failedCalls());
            assertTrue(ram.pageHolds(4, WRITTEN));
            assertEquals(1, lines.count());
        }
    }

    @Test
    void refusesRangesOutsideOfTheRamAndTouchesNothing() {
        try (OwnRam ram = OwnRam.of(OwnRam.Kind.ALIGNED_SLICE, PAGES)) {
            ram.fill(WRITTEN);
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            for (PageRanges outside :
                    new PageRanges[] {
                        ram.ranges(0, 4, PAGES, 1),
                        ram.ranges(0, 4, PAGES - 1, 2),
                        ram.ranges(0, 4, -1, 1),
                        ram.ranges(-1, 2)
                    }) {
                assertThrows(IllegalArgumentException.class, () -> reclaimer.discard(outside));
                assertThrows(IllegalArgumentException.class, () -> reclaimer.reuse(outside));
            }
            for (long[] question :
                    new long[][] {
                        {OwnRam.GPA - ram.page, ram.page},
                        {OwnRam.GPA, ram.region.length() + ram.page},
                        {OwnRam.GPA + 1, ram.page},
                        {OwnRam.GPA, ram.page + 1},
                        {OwnRam.GPA, -ram.page},
                        {OwnRam.GPA, Long.MAX_VALUE & -ram.page},
                        {Long.MIN_VALUE, ram.page}
                    }) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> reclaimer.residentBytes(question[0], question[1]));
            }
            assertEquals(0, reclaimer.discardCalls());
            assertTrue(ram.holds(0, ram.region.length(), WRITTEN));
        }
    }

    @Test
    void reuseTouchesNothing() throws IOException {
        try (OwnRam ram = OwnRam.of(OwnRam.Kind.SHARED_FILE_IN_MEMORY, PAGES)) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            reclaimer.discard(ram.ranges(0, PAGES));

            reclaimer.reuse(ram.ranges(0, PAGES));

            assertEquals(0, ram.residentBytes());
        }
    }

    @Test
    void givesBackInTheHostsPages() {
        try (OwnRam ram = OwnRam.of(OwnRam.Kind.ALIGNED_SLICE, PAGES)) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            assertEquals(LinuxMemory.pageBytes(), reclaimer.granularityBytes());
            assertFalse(reclaimer.toString().isEmpty());
        }
    }
}
