package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** What can be given back of a region, whatever the host's pages. */
final class RegionSpansTest {
    private static final int KIB = 1 << 10;
    private static final int LARGE_PAGE = 64 * KIB;
    private static final long GPA = 0x4000_0000L;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "memory is given back on Linux alone");
    }

    // As on a host with pages of 64 KiB, where the guest's RAM need not begin with one.
    @ParameterizedTest
    @CsvSource({
        " 0,  0, 256,   0",
        " 4,  4, 256,  64",
        " 0,  4, 256,  64",
        " 4,  0, 256, 128",
        " 4,  4,  64,  64",
        " 0, 32,  64,  64",
        "60, 60, 132,   4",
        " 4,  4,   4,   4",
    })
    void keepsWhatNoWholeUnitOfTheGuestCovers(
            int gpaKib, int addressKib, int lengthKib, int keptKib) throws IOException {
        ByteBuffer room = ByteBuffer.allocateDirect(512 * KIB).alignedSlice(LARGE_PAGE);
        RamRegion region =
                RamRegion.ofBuffer(
                        GPA + (long) gpaKib * KIB, room.slice(addressKib * KIB, lengthKib * KIB));

        RegionSpans spans = RegionSpans.of(region, MappingTable.ofThisProcess(), LARGE_PAGE);

        assertEquals((long) keptKib * KIB, spans.report().keptBytes());
        assertEquals(keptKib == lengthKib, spans.isEmpty());
        assertEquals(gpaKib == addressKib, spans.isAligned());
    }

    // The reports say what all ranges together can give; a discard of all is that, to the byte.
    @ParameterizedTest
    @CsvSource({"0, 0, 256", "0, 4, 256", "4, 4, 256", "60, 60, 132"})
    void givesBackAllThatItDoesNotReport(int gpaKib, int addressKib, int lengthKib)
            throws IOException {
        ByteBuffer room = ByteBuffer.allocateDirect(512 * KIB).alignedSlice(LARGE_PAGE);
        RamRegion region =
                RamRegion.ofBuffer(
                        GPA + (long) gpaKib * KIB, room.slice(addressKib * KIB, lengthKib * KIB));
        RegionSpans spans = RegionSpans.of(region, MappingTable.ofThisProcess(), LARGE_PAGE);
        long firstUnit = (region.gpa() + LARGE_PAGE - 1) & -LARGE_PAGE;
        long endOfUnits = region.end() & -LARGE_PAGE;

        long accepted =
                spans.discard(
                        firstUnit, endOfUnits - firstUnit, new CallTally(AdviceReclaimer.class));

        assertEquals(region.length() - spans.report().keptBytes(), accepted);
    }

    // Mapped, never touched: no page of the pool is taken.
    @Test
    void reservedHugePagesAreLeftAlone() throws IOException {
        assumeTrue(
                Files.exists(Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB")),
                "this kernel has no reserved huge pages of 2 MiB");
        int fd = LinuxMemory.memfdCreate("own-ram", LinuxMemory.MFD_HUGETLB_2MB);
        long length = 2L << 20;
        LinuxMemory.ftruncate(fd, length);
        int protection = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;
        int flags = LinuxMemory.MAP_SHARED | LinuxMemory.MAP_NORESERVE;
        long address = LinuxMemory.mmap(length, protection, flags, fd, 0);
        LinuxMemory.close(fd);
        RamRegion region = RamRegion.ofBuffer(GPA, bufferAt(address, length));

        RegionSpans spans =
                RegionSpans.of(region, MappingTable.ofThisProcess(), LinuxMemory.pageBytes());
        CallTally tally = new CallTally(AdviceReclaimer.class);
        long accepted = spans.discard(GPA, length, tally);
        LinuxMemory.munmap(address, length);

        assertEquals(new RegionReport(GPA, length, length, Obstacle.HUGE_PAGES), spans.report());
        assertTrue(spans.isEmpty());
        assertEquals(0, accepted);
        assertEquals(0, tally.discards());
    }

    @Test
    void isOfItsOwnRegionAlone() throws IOException {
        RamRegion region = RamRegion.ofArray(GPA, new byte[RamRegion.PAGE_BYTES]);
        RamRegion likeIt = RamRegion.ofArray(GPA, new byte[RamRegion.PAGE_BYTES]);

        RegionSpans spans =
                RegionSpans.of(region, MappingTable.ofThisProcess(), LinuxMemory.pageBytes());

        assertTrue(spans.areOf(region));
        assertFalse(spans.areOf(likeIt));
    }

    @SuppressWarnings("restricted") // A test of memory that is mapped by hand.
    private static ByteBuffer bufferAt(long address, long length) {
        return MemorySegment.ofAddress(address).reinterpret(length).asByteBuffer();
    }
}
