package io.aerostat.balloon.reclaim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** Pages of arrays that are given back to the heap, and RAM of which nothing is. */
final class PagedReclaimerTest {
    private static final int PAGE = 4096;
    private static final long BASE = 0x10_0000;

    private final byte[][] pages = new byte[16][];
    private final PagedArray ram = new PagedArray(pages, PAGE);
    private final PagedReclaimer reclaimer = reclaimerAt(BASE, ram);

    private static PagedReclaimer reclaimerAt(long gpa, PagedArray pages) {
        return new PagedReclaimer(GuestMemory.of(RamRegion.ofPages(gpa, pages)));
    }

    @BeforeEach
    void fill() {
        ram.fill(0, ram.length(), (byte) 1);
    }

    /** Pairs of first page of the RAM and number of pages. */
    private static PageRanges ranges(int... pairs) {
        PageRanges ranges = new PageRanges(8);
        for (int i = 0; i < pairs.length; i += 2) {
            ranges.add(BASE / PAGE + pairs[i], pairs[i + 1]);
        }
        return ranges;
    }

    @Test
    void letsGoOfThePagesThatItIsToldAndNoOthers() {
        long accepted = reclaimer.discard(ranges(2, 2, 15, 1));

        assertEquals(3 * PAGE, accepted);
        assertNotNull(pages[1]);
        assertNull(pages[2]);
        assertNull(pages[3]);
        assertNotNull(pages[4]);
        assertNull(pages[15]);
        assertEquals(2, reclaimer.discardCalls());
    }

    @Test
    void tellsWhatIsThere() {
        reclaimer.discard(ranges(0, 8));

        assertEquals(8 * PAGE, reclaimer.residentBytes(BASE, 16 * PAGE));
        assertEquals(0, reclaimer.residentBytes(BASE, 8 * PAGE));
    }

    @Test
    void aPageComesBackAsZerosAtItsFirstStore() {
        reclaimer.discard(ranges(2, 1));

        reclaimer.reuse(ranges(2, 1));
        assertNull(pages[2]);
        ram.store(2 * PAGE + 8, 1, 7);

        assertEquals(7, ram.load(2 * PAGE + 8, 8));
        assertEquals(0, ram.load(2 * PAGE, 8));
        assertEquals(PageReclaimer.Content.ZERO, reclaimer.contentAfterDiscard());
    }

    @Test
    void saysWhenPagesHaveGone() {
        List<byte[]> seen = new ArrayList<>();
        GuestMemory memory = GuestMemory.of(RamRegion.ofPages(BASE, ram));
        PagedReclaimer telling = new PagedReclaimer(memory, () -> seen.add(pages[2]));

        telling.discard(ranges(2, 1, 5, 1));

        assertEquals(1, seen.size());
        assertNull(seen.get(0));
    }

    @Test
    void refusesAListBeforeAnyOfItIsTouched() {
        assertThrows(IllegalArgumentException.class, () -> reclaimer.discard(ranges(0, 1, 15, 2)));

        assertNotNull(pages[0]);
        assertNotNull(pages[15]);
        assertEquals(0, reclaimer.discardCalls());
    }

    @Test
    void theUnitIsThePageOfTheArray() {
        PagedArray large = new PagedArray(new byte[2][], 4 * PAGE);

        assertEquals(4 * PAGE, reclaimerAt(0x8000, large).granularityBytes());
        assertThrows(IllegalArgumentException.class, () -> reclaimerAt(0x1000, large));
    }

    @Test
    void noReclaimAcceptsNothingAndSaysSo() {
        NoReclaim none = new NoReclaim();

        assertEquals(0, none.discard(ranges(0, 16)));
        assertEquals(0, none.discardCalls());
        assertEquals(PageReclaimer.Content.UNCHANGED, none.contentAfterDiscard());
        assertEquals(PageReclaimer.UNKNOWN, none.residentBytes(BASE, PAGE));
    }
}
