package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.backend.LogLines;
import io.aerostat.memory.backend.TestLibc;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/** An embedder learns when it attaches RAM what of it is lost, and what to do about it. */
final class RegionReportTest {
    private static final int PAGES = 32;

    private final LogLines lines = new LogLines(AdviceReclaimer.class);

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "memory is given back on Linux alone");
    }

    @ParameterizedTest
    @MethodSource("io.aerostat.memory.own.OwnRam$Kind#here")
    void ramOnWholePagesLosesNothing(OwnRam.Kind kind) {
        try (lines;
                OwnRam ram = OwnRam.of(kind, PAGES)) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            RegionReport all = new RegionReport(OwnRam.GPA, ram.region.length(), 0, Obstacle.NONE);
            assertEquals(List.of(all), reclaimer.reports());
            assertEquals(0, lines.count());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 4088})
    void ramThatStartsInsideAPageLosesAsMuchAsAPage(int shift) {
        int page = LinuxMemory.pageBytes();
        ByteBuffer room = ByteBuffer.allocateDirect((PAGES + 2) * page).alignedSlice(page);

        try (lines;
                OwnRam ram = OwnRam.of(room.slice(shift, PAGES * page))) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            RegionReport report = reclaimer.reports().getFirst();
            assertEquals(page, report.keptBytes());
            assertEquals(Obstacle.UNALIGNED, report.obstacle());
            assertEquals(1, lines.count());
            assertEquals(report.message(), lines.last());
        }
    }

    @Test
    void whatAllocateDirectGivesIsReportedByItsAddress() {
        int page = LinuxMemory.pageBytes();
        try (lines;
                OwnRam ram = OwnRam.of(ByteBuffer.allocateDirect(PAGES * page))) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            boolean aligned = ram.address() % page == 0;
            assertEquals(aligned ? 0 : page, reclaimer.reports().getFirst().keptBytes());
        }
    }

    @Test
    void theMessageSaysHowMuchAndWhatToDo() {
        int page = LinuxMemory.pageBytes();
        ByteBuffer room = ByteBuffer.allocateDirect(4 * page).alignedSlice(page);
        try (lines;
                OwnRam ram = OwnRam.of(room.slice(16, page))) {
            String message = AdviceReclaimer.of(ram.memory).reports().getFirst().message();

            assertTrue(
                    message.startsWith("guest RAM: " + page + " of " + page + " bytes"), message);
            assertTrue(message.contains("AnonymousBackend.map, UnloadBackend.map"), message);
            assertTrue(message.contains("alignedSlice(page)"), message);
            assertTrue(message.endsWith("gpa=0x40000000, length=" + page), message);
        }
    }

    @Test
    void theJavaHeapAndAccessorsLoseAll() {
        int page = LinuxMemory.pageBytes();
        PagedArray pages = new PagedArray(new byte[4][], page);
        GuestMemory memory =
                GuestMemory.of(
                        RamRegion.ofArray(0, new byte[2 * page]),
                        RamRegion.ofAccessor(1 << 20, pages.length(), pages));

        try (lines) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(memory);

            assertEquals(
                    List.of(
                            new RegionReport(0, 2L * page, 2L * page, Obstacle.NO_ADDRESS),
                            new RegionReport(1 << 20, 4L * page, 4L * page, Obstacle.NO_ADDRESS)),
                    reclaimer.reports());
            assertEquals(2, lines.count());
        }
    }

    // The kernel splits the mapping there, and the pages around stay what they were.
    @Test
    void lockedPagesAreLostAndNothingElse() throws Throwable {
        try (lines;
                OwnRam ram = OwnRam.of(OwnRam.Kind.ALIGNED_SLICE, PAGES)) {
            ram.fill(1);
            TestLibc.mlock(ram.address() + 4L * ram.page, 3L * ram.page);

            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            long accepted = reclaimer.discard(ram.ranges(0, PAGES));

            TestLibc.munlock(ram.address() + 4L * ram.page, 3L * ram.page);
            RegionReport report = reclaimer.reports().getFirst();
            assertEquals(3L * ram.page, report.keptBytes());
            assertEquals(Obstacle.LOCKED, report.obstacle());
            assertEquals((PAGES - 3L) * ram.page, accepted);
            assertEquals(2, reclaimer.discardCalls());
            assertEquals(0, reclaimer.failedCalls());
            assertTrue(ram.pageHolds(3, 0) && ram.pageHolds(4, 1) && ram.pageHolds(7, 0));
        }
    }

    @Test
    void aMappingThatIsGoneIsSeenToBeGone() throws IOException {
        int page = LinuxMemory.pageBytes();
        long length = 8L * page;
        int protection = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;
        int flags = LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS;
        long address = LinuxMemory.mmap(length, protection, flags, -1, 0);
        LinuxMemory.munmap(address + 2L * page, page);
        RegionSpans spans =
                RegionSpans.of(
                        RamRegion.ofBuffer(0, bufferAt(address, length)),
                        MappingTable.ofThisProcess(),
                        page);
        LinuxMemory.munmap(address, 2L * page);
        LinuxMemory.munmap(address + 3L * page, 5L * page);

        lines.close();

        assertEquals(page, spans.report().keptBytes());
        assertEquals(Obstacle.NOT_MAPPED, spans.report().obstacle());
    }

    @Test
    void warnsOfARegionOnce() {
        int page = LinuxMemory.pageBytes();
        try (lines;
                OwnRam ram = OwnRam.of(ByteBuffer.allocate(PAGES * page))) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);

            reclaimer.memoryChanged();
            reclaimer.memoryChanged();

            assertEquals(1, lines.count());
        }
    }

    @SuppressWarnings("restricted") // A test of memory that is not there.
    private static ByteBuffer bufferAt(long address, long length) {
        return MemorySegment.ofAddress(address).reinterpret(length).asByteBuffer();
    }
}
