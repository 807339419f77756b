package io.aerostat.balloon.range;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.BitSet;

/** Which pages are protected, by any combination of slots. */
final class ProtectedPagesTest {
    private static final int PAGE = 4096;
    private static final int SPAN = 9;

    @ParameterizedTest
    @CsvSource({
        "0x3000, 1, 3, 4",
        "0x3FFF, 1, 3, 4",
        "0x3FFF, 2, 3, 5",
        "0x3000, 0x1000, 3, 4",
        "0x3000, 0x1001, 3, 5",
        "0x3001, 0x1000, 3, 5",
        "0xFFFFFFFFFFF, 1, 0xFFFFFFFF, 0x100000000"
    })
    void everyPageThatHoldsAByteIsProtected(String gpa, String bytes, String first, String end) {
        ProtectedPages pages = new ProtectedPages(1);

        pages.protect(0, Long.decode(gpa), Long.decode(bytes));

        assertEquals(Long.decode(first), pages.nextProtected(0, Long.MAX_VALUE));
        assertEquals(Long.decode(end), pages.endOfProtection(Long.decode(first), Long.MAX_VALUE));
    }

    @Test
    void nothingIsProtectedAtFirst() {
        ProtectedPages pages = new ProtectedPages(6);

        assertEquals(6, pages.slots());
        assertEquals(50, pages.nextProtected(0, 50));
    }

    @Test
    void aReleasedSlotProtectsNothing() {
        ProtectedPages pages = new ProtectedPages(2);
        pages.protect(0, 0, PAGE);
        pages.protect(1, 5 * PAGE, PAGE);

        pages.release(0);

        assertEquals(5, pages.nextProtected(0, 50));
    }

    @Test
    void aSlotThatIsUsedAgainForgetsItsFormerPages() {
        ProtectedPages pages = new ProtectedPages(1);
        pages.protect(0, 2 * PAGE, PAGE);

        pages.protect(0, 8 * PAGE, PAGE);

        assertEquals(8, pages.nextProtected(0, 50));
    }

    @Test
    void threeSlotsInAnyPositionProtectWhatOneBitSetSays() {
        for (int a = 0; a < SPAN; a++) {
            for (int b = 0; b < SPAN; b++) {
                for (int lengths = 0; lengths < 64; lengths++) {
                    BitSet model = new BitSet();
                    ProtectedPages pages = new ProtectedPages(3);
                    protect(pages, model, 0, a, lengths & 3);
                    protect(pages, model, 1, b, lengths >> 2 & 3);
                    protect(pages, model, 2, (a + b) / 2, lengths >> 4);

                    assertSame(model, pages);
                }
            }
        }
    }

    private static void protect(ProtectedPages pages, BitSet model, int slot, int pfn, int length) {
        if (length > 0) {
            pages.protect(slot, (long) pfn * PAGE, (long) length * PAGE);
            model.set(pfn, pfn + length);
        }
    }

    private static void assertSame(BitSet model, ProtectedPages pages) {
        for (int pfn = 0; pfn <= SPAN + 4; pfn++) {
            for (int limit = pfn; limit <= SPAN + 4; limit++) {
                int next = model.nextSetBit(pfn);
                int nearest = next < 0 || next > limit ? limit : next;

                assertEquals(nearest, pages.nextProtected(pfn, limit), () -> "model=" + model);
                if (model.get(pfn)) {
                    int end = Math.min(model.nextClearBit(pfn), limit);
                    assertEquals(end, pages.endOfProtection(pfn, limit), () -> "model=" + model);
                }
            }
        }
    }
}
