package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

/** What every backend promises, on real memory. */
final class MemoryBackendContractTest {
    private static final int PAGES = 64;

    /** Makes a backend at {@link TestRam#GPA}. */
    interface Factory {
        MemoryBackend map(long bytes);
    }

    static Stream<Named<Factory>> backends() {
        // Small buffers, so that ranges cross from one into the next.
        int bufferBytes = 5 * RamRegion.PAGE_BYTES;
        Stream<Named<Factory>> everywhere =
                Stream.of(
                        Named.of(
                                "simulated",
                                bytes -> SimulatedBackend.map(bytes, TestRam.GPA, bufferBytes)));
        Stream<Named<Factory>> onLinux =
                Stream.of(
                        Named.of("anonymous, ranges together", bytes -> anonymous(bytes, true)),
                        Named.of("anonymous, one by one", bytes -> anonymous(bytes, false)),
                        Named.of("memfd", bytes -> MemfdBackend.map(bytes, TestRam.GPA)));
        return LinuxMemory.isSupported() ? Stream.concat(onLinux, everywhere) : everywhere;
    }

    private static MemoryBackend anonymous(long bytes, boolean together) {
        return AnonymousBackend.map(bytes, TestRam.GPA, HugePages.NEVER, together);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void showsItsRamToTheGuestWhereItWasAskedTo(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            GuestMemory memory = ram.backend.memory();

            assertEquals((long) PAGES * ram.pageBytes, memory.bytes());
            assertTrue(memory.contains(ram.gpa(0), memory.bytes()));
            assertSame(memory, ram.backend.memory());
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void startsAllZeroAndNotResident(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            assertEquals(0, ram.backend.residentBytes());
            assertEquals(0, ram.residentPages(0, PAGES));
            assertTrue(ram.isZero(0));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void discardedPagesReadAsZero(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            ram.touch(0, PAGES);

            ram.reclaimer.discard(ram.ranges(3, 9, 20, 1, 22, 12));

            assertEquals(PageReclaimer.Content.ZERO, ram.reclaimer.contentAfterDiscard());
            for (int page = 0; page < PAGES; page++) {
                assertEquals(isIn(page, 3, 9, 20, 1, 22, 12), ram.isZero(page), "page " + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void neighboursOfDiscardedPagesKeepWhatTheyHold(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            ram.touch(0, PAGES);

            ram.reclaimer.discard(ram.ranges(3, 9, 20, 1, 22, 12));

            for (int page = 0; page < PAGES; page++) {
                boolean kept = !isIn(page, 3, 9, 20, 1, 22, 12);
                assertEquals(kept, ram.holdsItsValue(page), "page " + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void residentBytesFallByExactlyTheDiscardedPages(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            ram.touch(0, PAGES);
            long before = ram.backend.residentBytes();
            PageRanges ranges = ram.ranges(3, 9, 20, 1, 22, 12);

            long accepted = ram.reclaimer.discard(ranges);

            assertEquals((long) PAGES * ram.pageBytes, before);
            assertEquals(ranges.bytes(), accepted);
            assertEquals(before - accepted, ram.backend.residentBytes());
            assertEquals(PAGES - 22, ram.residentPages(0, PAGES));
            for (int page = 0; page < PAGES; page++) {
                assertEquals(!isIn(page, 3, 9, 20, 1, 22, 12), ram.isResident(page), "" + page);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aDiscardedPageIsResidentAgainOnceItIsTouched(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            ram.touch(0, PAGES);
            ram.reclaimer.discard(ram.ranges(0, PAGES));

            ram.touch(7, 2);

            assertEquals(2L * ram.pageBytes, ram.backend.residentBytes());
            assertTrue(ram.isResident(7) && ram.isResident(8));
            assertTrue(ram.holdsItsValue(7) && ram.holdsItsValue(8));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void discardingAgainChangesNothing(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
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
    @MethodSource("backends")
    void discardsTheVeryFirstAndTheVeryLastPage(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            ram.touch(0, PAGES);

            ram.reclaimer.discard(ram.ranges(0, 1, PAGES - 1, 1));

            assertFalse(ram.isResident(0));
            assertFalse(ram.isResident(PAGES - 1));
            assertEquals(PAGES - 2, ram.residentPages(0, PAGES));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void discardsMoreScatteredRangesThanOneCallTakes(Factory factory) {
        int count = 2500;
        try (TestRam ram = mapped(factory, 2L * count)) {
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
    @MethodSource("backends")
    void anEmptyListCallsNobody(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            assertEquals(0, ram.reclaimer.discard(ram.ranges()));
            assertEquals(0, ram.reclaimer.discardCalls());
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void reuseTouchesNothing(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            ram.touch(0, 2);

            ram.reclaimer.reuse(ram.ranges(0, PAGES));

            assertEquals(2, ram.residentPages(0, PAGES));
            assertTrue(ram.holdsItsValue(0));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void refusesAListWithARangeOutsideAndTouchesNothing(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
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
    @MethodSource("backends")
    void answersResidencyForWholePagesOfItsOwnAlone(Factory factory) {
        try (TestRam ram = mapped(factory, PAGES)) {
            PageReclaimer reclaimer = ram.reclaimer;
            int page = ram.pageBytes;

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
    @MethodSource("backends")
    void refusesRamThatIsNotWholePages(Factory factory) {
        assertThrows(IllegalArgumentException.class, () -> factory.map(0));
        assertThrows(IllegalArgumentException.class, () -> factory.map(-4096));
        assertThrows(IllegalArgumentException.class, () -> factory.map(4095));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void refusesEveryUseAfterClose(Factory factory) {
        TestRam ram = mapped(factory, PAGES);
        MemoryBackend backend = ram.backend;
        PageReclaimer reclaimer = ram.reclaimer;
        PageRanges ranges = ram.ranges(0, 1);

        backend.close();

        assertAll(
                () -> assertThrows(IllegalStateException.class, backend::memory),
                () -> assertThrows(IllegalStateException.class, backend::reclaimer),
                () -> assertThrows(IllegalStateException.class, backend::residentBytes),
                () -> assertThrows(IllegalStateException.class, () -> reclaimer.discard(ranges)),
                () -> assertThrows(IllegalStateException.class, () -> reclaimer.reuse(ranges)),
                () ->
                        assertThrows(
                                IllegalStateException.class,
                                () -> reclaimer.residentBytes(ram.gpa(0), ram.pageBytes)));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void closesTwiceAndStillTellsItsCounts(Factory factory) {
        TestRam ram = mapped(factory, PAGES);
        ram.reclaimer.discard(ram.ranges(0, 1));
        long calls = ram.reclaimer.discardCalls();

        ram.backend.close();
        ram.backend.close();

        assertEquals(calls, ram.reclaimer.discardCalls());
        assertEquals(0, ram.backend.failedCalls());
        assertFalse(ram.backend.reclaimerName().isEmpty());
    }

    private static TestRam mapped(Factory factory, long pages) {
        int pageBytes = RamRegion.PAGE_BYTES;
        if (LinuxMemory.isSupported()) {
            pageBytes = LinuxMemory.pageBytes();
        }
        return new TestRam(factory.map(pages * pageBytes));
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
