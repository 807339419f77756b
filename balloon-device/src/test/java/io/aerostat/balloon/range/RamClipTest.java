package io.aerostat.balloon.range;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;

/** What is left of named ranges: every small case, page by page. */
final class RamClipTest {
    private static final int PAGE = 4096;

    /** Page numbers of the small cases: 0 to 11. */
    private static final int SPAN = 12;

    /** Regions of the small cases: a letter a page, '.' is a hole. */
    private static final String ALL_RAM = "aaaaaaaaaaaa";

    private static final String HOLES = ".aaa.bb.c..d";
    private static final String ADJACENT = "aabbbcccdeee";
    private static final String HOLES_AND_ADJACENT = "..aabb..cdd.";

    private static GuestMemory memoryOf(String map) {
        List<RamRegion> regions = new ArrayList<>();
        int from = 0;
        while (from < map.length()) {
            int to = endOfRegion(map, from);
            if (map.charAt(from) != '.') {
                regions.add(RamRegion.ofArray((long) from * PAGE, new byte[(to - from) * PAGE]));
            }
            from = to;
        }
        return GuestMemory.of(regions.toArray(RamRegion[]::new));
    }

    private static int endOfRegion(String map, int from) {
        int to = from;
        while (to < map.length() && map.charAt(to) == map.charAt(from)) {
            to++;
        }
        return to;
    }

    @ParameterizedTest
    @ValueSource(strings = {ALL_RAM, HOLES, ADJACENT, HOLES_AND_ADJACENT})
    void aRangeIsCutByTwoProtectedRangesInEveryPosition(String map) {
        GuestMemory memory = memoryOf(map);
        for (int position = 0; position < SPAN * SPAN; position++) {
            for (int lengths = 0; lengths < 16; lengths++) {
                long mask = run(position % SPAN, lengths & 3) | run(position / SPAN, lengths >> 2);
                ProtectedPages ring = new ProtectedPages(2);
                protect(ring, 0, position % SPAN, lengths & 3);
                protect(ring, 1, position / SPAN, lengths >> 2);
                for (int from = 0; from < SPAN; from++) {
                    for (int to = from + 1; to <= SPAN; to++) {
                        assertClips(map, memory, ring, mask, run(from, to - from));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {ALL_RAM, HOLES, ADJACENT, HOLES_AND_ADJACENT})
    void everySetOfPagesIsClippedPageByPage(String map) {
        GuestMemory memory = memoryOf(map);
        ProtectedPages ring = new ProtectedPages(3);
        protect(ring, 0, 4, 2);
        protect(ring, 1, 5, 2);
        protect(ring, 2, 10, 1);
        for (long named = 1; named < 1 << SPAN; named++) {
            assertClips(map, memory, ring, run(4, 3) | run(10, 1), named);
        }
    }

    private static void protect(ProtectedPages ring, int slot, int pfn, int pages) {
        if (pages > 0) {
            ring.protect(slot, (long) pfn * PAGE, (long) pages * PAGE);
        }
    }

    private static long run(int from, int pages) {
        return ((1L << pages) - 1) << from;
    }

    private static void assertClips(
            String map, GuestMemory memory, ProtectedPages ring, long ringPages, long named) {
        PageRanges ranges = rangesOf(named);
        // As small as it may be: the clip must not need more room than it says.
        RamClip clip = new RamClip(memory, ring, ranges.count());
        StringBuilder left = new StringBuilder();
        int outside = 0;
        int protectedPages = 0;
        int from = -1;
        for (int pfn = 0; pfn <= SPAN; pfn++) {
            boolean wanted = (named >>> pfn & 1) != 0;
            boolean isRam = pfn < SPAN && map.charAt(pfn) != '.';
            boolean isRing = (ringPages >>> pfn & 1) != 0;
            outside += wanted && !isRam ? 1 : 0;
            protectedPages += wanted && isRam && isRing ? 1 : 0;
            boolean stays = wanted && isRam && !isRing;
            boolean sameRegion = from >= 0 && stays && map.charAt(pfn) == map.charAt(from);
            if (from >= 0 && !sameRegion) {
                left.append(' ').append(from).append('+').append(pfn - from);
                from = -1;
            }
            from = stays && from < 0 ? pfn : from;
        }

        PageRanges clipped = clip.clip(ranges);

        assertEquals(left.toString(), text(clipped), ranges::toString);
        assertEquals(outside, clip.outsidePages(), ranges::toString);
        assertEquals(protectedPages, clip.protectedPages(), ranges::toString);
    }

    private static PageRanges rangesOf(long pages) {
        PageRanges ranges = new PageRanges(SPAN);
        for (int pfn = 0; pfn < SPAN; pfn++) {
            if ((pages >>> pfn & 1) != 0) {
                ranges.add(pfn, 1);
            }
        }
        ranges.normalize(new RangeSort(ranges.capacity()));
        return ranges;
    }

    private static String text(PageRanges ranges) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < ranges.count(); i++) {
            text.append(' ').append(ranges.pfn(i)).append('+').append(ranges.pages(i));
        }
        return text.toString();
    }

    @Test
    void theWholeOf32BitPageNumbersIsClippedToRam() {
        GuestMemory memory = memoryOf(HOLES);
        RamClip clip = new RamClip(memory, new ProtectedPages(1), 256);
        PageRanges named = new PageRanges(257);
        long all = 0;
        for (long pfn = 0; pfn < 1L << 32; pfn += PageRanges.MAX_RANGE_PAGES) {
            int pages = (int) Math.min(PageRanges.MAX_RANGE_PAGES, (1L << 32) - pfn);
            named.add(pfn, pages);
            all += pages;
        }

        PageRanges clipped = clip.clip(named);

        assertEquals(" 1+3 5+2 8+1 11+1", text(clipped));
        assertEquals(all - 7, clip.outsidePages());
    }

    @Test
    void eachClipCountsAnew() {
        GuestMemory memory = memoryOf(HOLES);
        ProtectedPages ring = new ProtectedPages(1);
        ring.protect(0, PAGE, PAGE);
        RamClip clip = new RamClip(memory, ring, SPAN);
        clip.clip(rangesOf(run(0, SPAN)));

        clip.clip(rangesOf(run(2, 1)));

        assertEquals(" 2+1", text(clip.clipped()));
        assertEquals(0, clip.outsidePages());
        assertEquals(0, clip.protectedPages());
    }
}
