package io.aerostat.balloon.range;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Host pages of 16 KiB, four of the balloon's, in regions that do not end where they do. */
@DisplayName("BALLOON-DEV-02, -03: which host pages are complete")
final class HostPagesTest {
    private static final int PAGE = 4096;
    private static final int UNIT_BYTES = 4 * PAGE;

    /** Pages 2 to 41, 42 to 61, 70 to 79. */
    private final GuestMemory memory =
            GuestMemory.of(region(2, 40), region(42, 20), region(70, 10));

    private final PageLedger ledger = new PageLedger(memory);
    private final ProtectedPages rings = new ProtectedPages(1);
    private final HostPages pages = new HostPages(memory, ledger, rings, UNIT_BYTES, 100);

    private static RamRegion region(long pfn, int pages) {
        return RamRegion.ofArray(pfn * PAGE, new byte[pages * PAGE]);
    }

    private static PageRanges ranges(int... pfnsAndPages) {
        PageRanges ranges = new PageRanges(100);
        for (int i = 0; i < pfnsAndPages.length; i += 2) {
            ranges.add(pfnsAndPages[i], pfnsAndPages[i + 1]);
        }
        return ranges;
    }

    /** The pages go into the balloon; tells what they complete. */
    private String inflate(int... pfnsAndPages) {
        PageRanges added = ranges(pfnsAndPages);
        for (int i = 0; i < added.count(); i++) {
            ledger.add(added.pfn(i), added.pages(i));
        }
        return PageSets.rangesOf(PageSets.pagesOf(pages.completedBy(added)));
    }

    private long deflate(int... pfnsAndPages) {
        PageRanges removed = ranges(pfnsAndPages);
        for (int i = 0; i < removed.count(); i++) {
            ledger.remove(removed.pfn(i), removed.pages(i));
        }
        return pages.brokenUpBy(removed);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2048, 4095, 4097, 12_288, -4096})
    void refusesAUnitThatIsNone(int bytes) {
        assertThrows(
                IllegalArgumentException.class,
                () -> new HostPages(memory, ledger, rings, bytes, 1));
    }

    @Test
    void whereHostPagesAreNoLargerEachPageIsOne() {
        HostPages small = new HostPages(memory, ledger, rings, PAGE, 10);
        PageRanges added = ranges(3, 1, 7, 2);

        assertSame(added, small.completedBy(added));
        assertSame(added, small.inside(added));
        assertEquals(0, small.newlyComplete());
        assertEquals(0, small.brokenUpBy(added));
        assertEquals(0, small.incompletePages());
    }

    @Test
    @DisplayName("a picture of the class: of earlier requests and of this one")
    void theLastPageCompletesAHostPage() {
        pages.acrossRequests(true);
        assertEquals("PageRanges[]", inflate(4, 2, 8, 3));
        assertEquals(5, pages.incompletePages());

        assertEquals("PageRanges[4+12]", inflate(6, 2, 11, 8));

        assertEquals(3, pages.newlyComplete());
        assertEquals(3, pages.incompletePages());
    }

    @Test
    void eachIsNewOnce() {
        pages.acrossRequests(true);
        inflate(4, 4);
        assertEquals(1, pages.newlyComplete());

        inflate(5, 1);
        assertEquals(0, pages.newlyComplete());
        assertEquals(1, deflate(5, 1));
        assertEquals(0, deflate(6, 1), "broken up already");
        inflate(5, 2);
        assertEquals(1, pages.newlyComplete());
    }

    @Test
    void twoRangesInOneHostPageCompleteItOnce() {
        pages.acrossRequests(true);
        inflate(5, 1, 7, 1);

        assertEquals("PageRanges[4+4]", inflate(4, 1, 6, 1));
        assertEquals(1, pages.newlyComplete());
    }

    @Test
    void notAcrossRequestsOnlyWhatIsNewCounts() {
        pages.acrossRequests(false);
        inflate(4, 2);

        assertEquals("PageRanges[]", inflate(6, 2));
        assertEquals(4, pages.incompletePages());
        assertEquals("PageRanges[8+8]", inflate(7, 10));
        assertEquals(2, pages.newlyComplete());
        assertEquals("PageRanges[4+4]", inflate(4, 4), "named again all at once");
        assertEquals(1, pages.incompletePages());
    }

    @Test
    void aHostPageThatReachesOutOfItsRegionIsNeverComplete() {
        pages.acrossRequests(true);

        assertEquals("PageRanges[]", inflate(2, 2), "before RAM");
        assertEquals("PageRanges[]", inflate(40, 2, 42, 2), "over two regions that touch");
        assertEquals("PageRanges[]", inflate(60, 2), "behind RAM");
        assertEquals("PageRanges[]", inflate(70, 2), "behind a hole");
        assertEquals(10, pages.incompletePages());
        assertEquals("PageRanges[72+8]", inflate(72, 8));
    }

    @Test
    void aHostPageWithARingInItIsNeverComplete() {
        pages.acrossRequests(true);
        inflate(8, 1);
        rings.protect(0, 9 * PAGE, 10);

        assertEquals("PageRanges[4+4]", inflate(4, 4));
        assertEquals("PageRanges[]", inflate(10, 2));

        rings.release(0);
        assertEquals("PageRanges[8+4]", inflate(9, 1));
    }

    @Test
    void takingOutWhatWasNotInBreaksNothing() {
        pages.acrossRequests(true);
        inflate(4, 8);

        assertEquals(0, deflate(12, 20));
        assertEquals(2, deflate(7, 2));
        assertEquals(0, pages.brokenUpBy(ranges(4, 8)));
        assertEquals(6, pages.incompletePages());
    }

    @Test
    void insideLooksAtTheRangesAlone() {
        ledger.add(2, 40);

        assertEquals("PageRanges[4+4]", pages.inside(ranges(3, 6)).toString());
        assertEquals("PageRanges[]", pages.inside(ranges(5, 6, 13, 2)).toString());
        assertEquals("PageRanges[8+8, 20+4]", pages.inside(ranges(8, 8, 19, 5)).toString());
        assertEquals(40, pages.incompletePages(), "nothing was completed");
    }

    @Test
    void afterClearNothingIsComplete() {
        pages.acrossRequests(true);
        inflate(4, 4);
        ledger.clear();
        pages.clear();

        assertEquals(0, pages.incompletePages());
        inflate(4, 4);
        assertEquals(1, pages.newlyComplete());
    }
}
