package io.aerostat.balloon.range;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;
import java.util.SortedSet;
import java.util.stream.LongStream;

/** Range lists, and their normal form against a set of pages. */
final class PageRangesTest {
    private static final long LAST_PFN = 0xFFFF_FFFFL;
    private static final int MAX = PageRanges.MAX_RANGE_PAGES;

    /** Around these, page numbers change in every byte and in what a signed int makes of them. */
    private static final long[] EDGES = {0, 0x100, 0x1_0000, 0x100_0000, 0x8000_0000L, LAST_PFN};

    static LongStream seeds() {
        return Seeds.first(60);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 0x7FFF_FFFFL, 0x8000_0000L, LAST_PFN})
    void keepsAnyPageNumberOf32Bits(long pfn) {
        PageRanges ranges = new PageRanges(1);

        ranges.add(pfn, 1);

        assertEquals(pfn, ranges.pfn(0));
        assertEquals(1, ranges.pages(0));
        assertEquals(pfn * 4096, ranges.gpa(0));
    }

    @Test
    void keepsTheLongestRange() {
        PageRanges ranges = new PageRanges(1);

        ranges.add(LAST_PFN - MAX + 1, MAX);

        assertEquals(LAST_PFN - MAX + 1, ranges.pfn(0));
        assertEquals(MAX, ranges.pages(0));
        assertEquals(MAX * 4096L, ranges.bytes(0));
        assertEquals(MAX * 4096L, ranges.bytes());
    }

    @Test
    void refusesWhatIsNoRange() {
        PageRanges ranges = new PageRanges(4);

        assertThrows(IllegalArgumentException.class, () -> ranges.add(-1, 1));
        assertThrows(IllegalArgumentException.class, () -> ranges.add(LAST_PFN + 1, 1));
        assertThrows(IllegalArgumentException.class, () -> ranges.add(0, 0));
        assertThrows(IllegalArgumentException.class, () -> ranges.add(0, -1));
        assertThrows(IllegalArgumentException.class, () -> ranges.add(0, MAX + 1));
        assertThrows(IllegalArgumentException.class, () -> new PageRanges(0));
    }

    @Test
    void isEmptyAgainAfterClear() {
        PageRanges ranges = new PageRanges(1);
        ranges.add(5, 3);

        ranges.clear();

        assertEquals(0, ranges.count());
        assertEquals(0, ranges.pages());
        assertEquals(0, ranges.normalize(new RangeSort(ranges.capacity())));
        assertEquals("PageRanges[]", ranges.toString());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void normalFormIsTheSetOfPages(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            PageRanges ranges = randomRanges(random);
            String given = ranges.toString();
            SortedSet<Long> pages = PageSets.pagesOf(ranges);
            long surplus = ranges.pages() - pages.size();

            long said = ranges.normalize(new RangeSort(ranges.capacity()));

            assertEquals(
                    PageSets.rangesOf(pages),
                    ranges.toString(),
                    () -> given + ", " + Seeds.replay(seed));
            assertEquals(surplus, said, () -> given + ", " + Seeds.replay(seed));
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void normalFormStaysAsItIs(long seed) {
        PageRanges ranges = randomRanges(new Random(seed));
        ranges.normalize(new RangeSort(ranges.capacity()));
        String normal = ranges.toString();

        long surplus = ranges.normalize(new RangeSort(ranges.capacity()));

        assertEquals(normal, ranges.toString(), () -> Seeds.replay(seed));
        assertEquals(0, surplus, () -> Seeds.replay(seed));
    }

    /** A full list, with few or many clusters, near an edge or over all page numbers. */
    private static PageRanges randomRanges(Random random) {
        int count = 1 + random.nextInt(random.nextBoolean() ? 30 : 300);
        long edge = EDGES[random.nextInt(EDGES.length)];
        int spread = 1 << (4 + random.nextInt(12));
        boolean anywhere = random.nextInt(4) == 0;
        PageRanges ranges = new PageRanges(count);
        for (int i = 0; i < count; i++) {
            long near = edge - spread / 2 + random.nextInt(spread);
            long pfn =
                    anywhere ? random.nextInt() & LAST_PFN : Math.min(Math.max(near, 0), LAST_PFN);
            ranges.add(pfn, (int) Math.min(1 + random.nextInt(9), LAST_PFN + 1 - pfn));
        }
        return ranges;
    }

    @Test
    void mergesUpToTheLongestRange() {
        PageRanges ranges = new PageRanges(2);
        ranges.add(MAX - 1, 1);
        ranges.add(0, MAX - 1);

        ranges.normalize(new RangeSort(ranges.capacity()));

        assertEquals("PageRanges[0+" + MAX + "]", ranges.toString());
    }

    @Test
    void mergesNoFurtherThanTheLongestRange() {
        PageRanges ranges = new PageRanges(3);
        ranges.add(MAX, 7);
        ranges.add(0, MAX);
        ranges.add(MAX + 7, 1);

        long surplus = ranges.normalize(new RangeSort(ranges.capacity()));

        assertEquals("PageRanges[0+" + MAX + ", " + MAX + "+8]", ranges.toString());
        assertEquals(0, surplus);
    }

    @Test
    void countsTheOverlapOfRangesThatAreTogetherTooLong() {
        PageRanges ranges = new PageRanges(4);
        ranges.add(0, MAX);
        ranges.add(2, MAX);
        ranges.add(1, MAX);
        ranges.add(3, 5);

        long surplus = ranges.normalize(new RangeSort(ranges.capacity()));

        assertEquals("PageRanges[0+" + MAX + ", " + MAX + "+2]", ranges.toString());
        assertEquals(3L * MAX + 5 - (MAX + 2), surplus);
    }

    @Test
    void aRangeInsideAnotherIsAllSurplus() {
        PageRanges ranges = new PageRanges(2);
        ranges.add(10, 10);
        ranges.add(12, 3);

        long surplus = ranges.normalize(new RangeSort(ranges.capacity()));

        assertEquals("PageRanges[10+10]", ranges.toString());
        assertEquals(3, surplus);
    }
}
