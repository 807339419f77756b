package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every backend promises, on real memory. */
final class MemoryBackendContractTest {
    private static final String KINDS = "io.aerostat.memory.backend.BackendKind#";
    private static final String ALL = KINDS + "all";
    private static final String OF_LARGE_UNITS = KINDS + "ofLargeUnits";
    private static final String OF_SMALLEST_UNITS = KINDS + "ofSmallestUnits";
    private static final int PAGES = HugePagePool.TEST_PAGES;

    @ParameterizedTest
    @MethodSource(ALL)
    void showsItsRamToTheGuestWhereItWasAskedTo(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            GuestMemory memory = ram.backend.memory();

            assertEquals((long) PAGES * ram.unitBytes, memory.bytes());
            assertTrue(memory.contains(ram.gpa(0), memory.bytes()));
            assertSame(memory, ram.backend.memory());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void startsAllZeroAndNotResident(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            assertEquals(0, ram.backend.residentBytes());
            assertEquals(0, ram.residentPages(0, PAGES));
            assertTrue(ram.isZero(0));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void discardedPagesReadAsZero(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);

            ram.reclaimer.discard(ram.ranges(3, 9, 20, 1, 22, 12));

            assertEquals(PageReclaimer.Content.ZERO, ram.reclaimer.contentAfterDiscard());
            for (int page = 0; page < PAGES; page++) {
                assertEquals(isIn(page, 3, 9, 20, 1, 22, 12), ram.isZero(page), "page " + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void neighboursOfDiscardedPagesKeepWhatTheyHold(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);

            ram.reclaimer.discard(ram.ranges(3, 9, 20, 1, 22, 12));

            for (int page = 0; page < PAGES; page++) {
                boolean kept = !isIn(page, 3, 9, 20, 1, 22, 12);
                assertEquals(kept, ram.holdsItsValue(page), "page " + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void residentBytesFallByExactlyTheDiscardedPages(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);
            long before = ram.backend.residentBytes();
            PageRanges ranges = ram.ranges(3, 9, 20, 1, 22, 12);

            long accepted = ram.reclaimer.discard(ranges);

            assertEquals((long) PAGES * ram.unitBytes, before);
            assertEquals(ranges.bytes(), accepted);
            assertEquals(before - accepted, ram.backend.residentBytes());
            assertEquals(PAGES - 22, ram.residentPages(0, PAGES));
            for (int page = 0; page < PAGES; page++) {
                assertEquals(!isIn(page, 3, 9, 20, 1, 22, 12), ram.isResident(page), "" + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aDiscardedPageIsResidentAgainOnceItIsTouched(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);
            ram.reclaimer.discard(ram.ranges(0, PAGES));

            ram.touch(7, 2);

            assertEquals(2L * ram.unitBytes, ram.backend.residentBytes());
            assertTrue(ram.isResident(7) && ram.isResident(8));
            assertTrue(ram.holdsItsValue(7) && ram.holdsItsValue(8));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void discardingAgainChangesNothing(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);
            PageRanges ranges = ram.ranges(1, 2, 5, 6);
            ram.reclaimer.discard(ranges);
            long resident = ram.backend.residentBytes();

            long accepted = ram.reclaimer.discard(ranges);

            assertEquals(ranges.bytes(), accepted);
            assertEquals(resident, ram.backend.residentBytes());
            assertEquals(0, ram.backend.failedCalls());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void discardsTheVeryFirstAndTheVeryLastPage(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);

            ram.reclaimer.discard(ram.ranges(0, 1, PAGES - 1, 1));

            assertFalse(ram.isResident(0));
            assertFalse(ram.isResident(PAGES - 1));
            assertEquals(PAGES - 2, ram.residentPages(0, PAGES));
        }
    }

    @ParameterizedTest
    @MethodSource(OF_SMALLEST_UNITS)
    void discardsMoreScatteredRangesThanOneCallTakes(BackendKind kind) {
        int count = 2500;
        try (TestRam ram = mapped(kind, 2L * count)) {
            ram.touch(0, 2L * count);
            PageRanges ranges = ram.everySecondPage(count);

            long accepted = ram.reclaimer.discard(ranges);

            assertEquals(ranges.bytes(), accepted);
            assertEquals(accepted, ram.backend.residentBytes());
            for (int page = 0; page < 2 * count; page++) {
                assertEquals(page % 2 == 1, ram.isResident(page), "page " + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anEmptyListCallsNobody(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            assertEquals(0, ram.reclaimer.discard(ram.ranges()));
            assertEquals(0, ram.reclaimer.discardCalls());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void reuseTouchesNothing(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, 2);

            ram.reclaimer.reuse(ram.ranges(0, PAGES));
            ram.reclaimer.reuse(ram.guestPages(1, 1, 3, 2));

            assertEquals(2, ram.residentPages(0, PAGES));
            assertTrue(ram.holdsItsValue(0));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void refusesAListWithARangeOutsideAndTouchesNothing(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);

            for (PageRanges outside :
                    new PageRanges[] {
                        ram.ranges(0, 4, PAGES, 1),
                        ram.ranges(0, 4, PAGES - 1, 2),
                        ram.ranges(0, 4, -1, 1),
                        ram.ranges(-1, 2)
                    }) {
                assertThrows(IllegalArgumentException.class, () -> ram.reclaimer.discard(outside));
                assertThrows(IllegalArgumentException.class, () -> ram.reclaimer.reuse(outside));
            }
            assertEquals(PAGES, ram.residentPages(0, PAGES));
            assertEquals(0, ram.reclaimer.discardCalls());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void givesBackInTheUnitThatItWasAskedFor(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            assertEquals(kind.unitBytes(), ram.reclaimer.granularityBytes());
        }
    }

    @ParameterizedTest
    @MethodSource(OF_LARGE_UNITS)
    void refusesAListWithAPartOfAUnitAndTouchesNothing(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            ram.touch(0, PAGES);
            int unit = ram.unitBytes / RamRegion.PAGE_BYTES;

            for (PageRanges partly :
                    new PageRanges[] {
                        ram.guestPages(0, unit, 2L * unit, unit - 1),
                        ram.guestPages(0, unit, 2L * unit, unit + 1),
                        ram.guestPages(0, unit, 3L * unit - 1, unit + 1),
                        ram.guestPages(0, unit, 2L * unit + 1, unit),
                        ram.guestPages(unit / 2, unit)
                    }) {
                assertThrows(IllegalArgumentException.class, () -> ram.reclaimer.discard(partly));
            }
            assertEquals(PAGES, ram.residentPages(0, PAGES));
            assertEquals(0, ram.reclaimer.discardCalls());
            assertTrue(ram.holdsItsValue(0));
        }
    }

    @ParameterizedTest
    @MethodSource(OF_LARGE_UNITS)
    void countsResidencyInTheHostsOwnPages(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            RamAccess access = RamAccess.of(ram.backend.memory(), ram.gpa(7), ram.unitBytes);
            access.putByte(5, (byte) 1);

            // A huge page may stand behind it, or must.
            boolean huge = kind.hugePages() != HugePages.NEVER;
            long most = huge ? ram.unitBytes : kind.maker().leastUnitBytes();
            long least =
                    kind.hugePages() == HugePages.RESERVED
                            ? ram.unitBytes
                            : kind.maker().leastUnitBytes();
            long resident = ram.backend.residentBytes();

            assertTrue(resident == least || resident == most, "residentBytes=" + resident);
            assertEquals(resident, ram.reclaimer.residentBytes(ram.gpa(7), ram.unitBytes));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void answersResidencyForWholePagesOfItsOwnAlone(BackendKind kind) {
        try (TestRam ram = mapped(kind, PAGES)) {
            PageReclaimer reclaimer = ram.reclaimer;
            int page = ram.unitBytes;

            assertEquals(0, reclaimer.residentBytes(ram.gpa(PAGES), 0));
            for (long[] question :
                    new long[][] {
                        {ram.gpa(PAGES), page},
                        {ram.gpa(-1), page},
                        {ram.gpa(0), (PAGES + 1L) * page},
                        {ram.gpa(0), -page},
                        {ram.gpa(0) + 1, page},
                        {ram.gpa(0), page + 1},
                        {ram.gpa(1), Long.MAX_VALUE & -page},
                        {Long.MIN_VALUE, page}
                    }) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> reclaimer.residentBytes(question[0], question[1]));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void refusesRamThatIsNotWholePages(BackendKind kind) {
        int unit = kind.unitBytes();

        for (long bytes : new long[] {0, -unit, unit - 1, unit + unit / 2}) {
            assertThrows(IllegalArgumentException.class, () -> kind.map(bytes));
        }
        assertThrows(IllegalArgumentException.class, () -> kind.map(unit, unit / 2));
        assertThrows(IllegalArgumentException.class, () -> kind.map(unit, -unit));
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void refusesEveryUseAfterClose(BackendKind kind) {
        TestRam ram = mapped(kind, PAGES);
        MemoryBackend backend = ram.backend;
        PageReclaimer reclaimer = ram.reclaimer;
        PageRanges ranges = ram.ranges(0, 1);

        backend.close();

        assertAll(
                () -> assertThrows(IllegalStateException.class, backend::memory),
                () -> assertThrows(IllegalStateException.class, backend::buffers),
                () -> assertThrows(IllegalStateException.class, backend::reclaimer),
                () -> assertThrows(IllegalStateException.class, backend::residentBytes),
                () -> assertThrows(IllegalStateException.class, () -> reclaimer.discard(ranges)),
                () ->
                        assertThrows(
                                IllegalStateException.class,
                                () -> reclaimer.residentBytes(ram.gpa(0), ram.unitBytes)));
    }

    // A guest resets its device, or takes pages back, whether its RAM is still there or not.
    @ParameterizedTest
    @MethodSource(ALL)
    void mayBeToldOfReuseAfterClose(BackendKind kind) {
        TestRam ram = mapped(kind, PAGES);
        ram.reclaimer.discard(ram.ranges(0, 1));
        long calls = ram.reclaimer.discardCalls();

        ram.close();
        ram.reclaimer.reuse(ram.ranges(0, PAGES));

        assertEquals(calls, ram.reclaimer.discardCalls());
        assertEquals(0, ram.backend.failedCalls());
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void closesTwiceAndStillTellsItsCounts(BackendKind kind) {
        TestRam ram = mapped(kind, PAGES);
        ram.reclaimer.discard(ram.ranges(0, 1));
        long calls = ram.reclaimer.discardCalls();

        ram.backend.close();
        ram.backend.close();

        assertEquals(calls, ram.reclaimer.discardCalls());
        assertEquals(0, ram.backend.failedCalls());
        assertFalse(ram.backend.reclaimerName().isEmpty());
    }

    private static TestRam mapped(BackendKind kind, long pages) {
        return new TestRam(kind.map(pages * kind.unitBytes()));
    }

    private static boolean isIn(long page, long... firstAndCount) {
        for (int i = 0; i < firstAndCount.length; i += 2) {
            if (page >= firstAndCount[i] && page < firstAndCount[i] + firstAndCount[i + 1]) {
                return true;
            }
        }
        return false;
    }
}
