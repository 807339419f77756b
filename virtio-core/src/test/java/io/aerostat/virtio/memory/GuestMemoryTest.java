package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

final class GuestMemoryTest {
    private static final int PAGE = 4096;

    /** Pages 1, 2 and 3 in two adjacent regions, a hole, page 6. */
    private final GuestMemory memory = memory(1, 2, 3, 1, 6, 1);

    private static GuestMemory memory(int... pfnAndPages) {
        RamRegion[] regions = new RamRegion[pfnAndPages.length / 2];
        for (int i = 0; i < regions.length; i++) {
            long gpa = (long) pfnAndPages[2 * i] * PAGE;
            regions[i] = RamRegion.ofArray(gpa, new byte[pfnAndPages[2 * i + 1] * PAGE]);
        }
        return GuestMemory.of(regions);
    }

    @Test
    void refusesToBeEmpty() {
        assertThrows(IllegalArgumentException.class, () -> GuestMemory.of());
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 1", "1, 2, 2, 1", "2, 1, 1, 2", "1, 4, 2, 1", "2, 1, 1, 4", "0, 3, 2, 9"})
    void refusesRegionsThatOverlap(int pfn, int pages, int otherPfn, int otherPages) {
        assertThrows(
                IllegalArgumentException.class, () -> memory(pfn, pages, otherPfn, otherPages));
    }

    @Test
    void refusesAnOverlapBetweenRegionsGivenFarApart() {
        assertThrows(IllegalArgumentException.class, () -> memory(8, 2, 0, 1, 4, 1, 9, 1));
    }

    @Test
    void sortsRegionsGivenInAnyOrder() {
        GuestMemory shuffled = memory(6, 1, 1, 2, 3, 1);

        List<Long> starts = shuffled.regions().stream().map(RamRegion::gpa).toList();

        assertEquals(List.of(0x1000L, 0x3000L, 0x6000L), starts);
    }

    @Test
    void laterChangesOfTheCallersArrayChangeNothing() {
        RamRegion[] regions = {RamRegion.ofArray(0, new byte[PAGE])};
        GuestMemory made = GuestMemory.of(regions);

        regions[0] = RamRegion.ofArray(PAGE, new byte[PAGE]);

        assertEquals(0, made.region(0).gpa());
    }

    @Test
    void countsTheBytesOfAllRegions() {
        assertEquals(4 * PAGE, memory.bytes());
        assertEquals(3, memory.regionCount());
    }

    @ParameterizedTest
    @CsvSource({
        "0x0, -1",
        "0xfff, -1",
        "0x1000, 0",
        "0x2fff, 0",
        "0x3000, 1",
        "0x3fff, 1",
        "0x4000, -1",
        "0x5fff, -1",
        "0x6000, 2",
        "0x6fff, 2",
        "0x7000, -1",
        "0x7fffffffffffffff, -1",
        "-0x8000000000000000, -1",
        "-1, -1",
        "-0x1000, -1",
        "-0x7fffffffffffa000, -1"
    })
    void findsTheRegionOfAnyAddress(String gpa, int index) {
        assertEquals(index, memory.regionIndexOf(Long.decode(gpa)));
    }

    @ParameterizedTest
    @CsvSource({
        // gpa, length, contained, found before the first byte that is not RAM
        "0x1000, 1, true, 1",
        "0x1000, 0x3000, true, 0x3000",
        "0x1000, 0x3001, false, 0x3000",
        "0x2fff, 2, true, 2",
        "0x3fff, 1, true, 1",
        "0x3fff, 2, false, 1",
        "0x4000, 1, false, 0",
        "0xfff, 2, false, 0",
        "0x1000, 0x6000, false, 0x3000",
        "0x6fff, 1, true, 1",
        "0x6fff, 2, false, 1",
        "0x7000, 1, false, 0",
        "0x1000, 0, true, 0",
        "0x6fff, 0, true, 0",
        "0x7000, 0, false, 0",
        "0x4000, 0, false, 0",
        "0x1000, -1, false, 0",
        "0x1000, -0x8000000000000000, false, 0",
        "0x1000, 0x7fffffffffffffff, false, 0x3000",
        "0x1000, 0x7fffffffffffefff, false, 0x3000",
        "0x1000, 0x7ffffffffffff000, false, 0x3000",
        "-1, 1, false, 0",
        "-1, 0x1002, false, 0",
        "-0x1000, 0x3000, false, 0",
        "-0x8000000000000000, 0x7fffffffffffffff, false, 0",
        "-0x8000000000000000, -0x8000000000000000, false, 0",
        "0x7fffffffffffffff, 1, false, 0",
        "0x7fffffffffffffff, 0x7fffffffffffffff, false, 0"
    })
    void judgesAnyRange(String gpa, String length, boolean contained, String found) {
        long at = Long.decode(gpa);
        long bytes = Long.decode(length);

        assertEquals(contained, memory.contains(at, bytes));
        assertEquals(Long.decode(found), memory.contiguousFrom(at, bytes));
    }

    @Test
    void ramAtAddressZeroIsRam() {
        GuestMemory low = memory(0, 1);

        assertEquals(true, low.contains(0, PAGE));
        assertEquals(false, low.contains(-1, 1));
    }

    @Test
    void theHighestRegionEndsWithoutOverflow() {
        GuestMemory high = GuestMemory.of(RamRegion.ofArray(Long.MAX_VALUE - 8191, new byte[PAGE]));

        assertEquals(true, high.contains(Long.MAX_VALUE - 8191, PAGE));
        assertEquals(false, high.contains(Long.MAX_VALUE - 8191, PAGE + 1));
        assertEquals(PAGE, high.contiguousFrom(Long.MAX_VALUE - 8191, Long.MAX_VALUE));
    }

    static LongStream seeds() {
        return Seeds.first(50);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithASetOfPages(long seed) {
        Random random = new Random(seed);
        boolean[] isRam = new boolean[40];
        GuestMemory made = randomMemory(random, isRam);
        for (int i = 0; i < 2000; i++) {
            int gpa = random.nextInt(34 * PAGE) - PAGE / 2;
            long length = random.nextInt(random.nextBoolean() ? 6 * PAGE : 10);
            long expected = 0;
            while (expected < length && gpa >= 0 && isRam[(int) (gpa + expected) / PAGE]) {
                expected++;
            }
            String where = "gpa=" + gpa + ", length=" + length + ", " + Seeds.replay(seed);

            assertEquals(expected, made.contiguousFrom(gpa, length), where);
        }
    }

    private static GuestMemory randomMemory(Random random, boolean[] isRam) {
        int[] regions = new int[2 * (1 + random.nextInt(6))];
        int pfn = 0;
        for (int i = 0; i < regions.length; i += 2) {
            pfn += random.nextInt(3);
            regions[i] = pfn;
            regions[i + 1] = 1 + random.nextInt(2);
            for (int page = 0; page < regions[i + 1]; page++) {
                isRam[pfn++] = true;
            }
        }
        return memory(regions);
    }
}
