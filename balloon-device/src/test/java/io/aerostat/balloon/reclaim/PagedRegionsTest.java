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

import org.junit.jupiter.api.Test;

/** Pages of several regions, of which some are arrays, and some come and go. */
final class PagedRegionsTest {
    private static final int PAGE = 4096;
    private static final long HIGH = 0x10_0000;

    private final byte[][] lowPages = new byte[8][];
    private final byte[][] highPages = new byte[8][];
    private final RamRegion low = region(0, lowPages);
    private final RamRegion high = region(HIGH, highPages);

    private static RamRegion region(long gpa, byte[][] pages) {
        PagedArray array = new PagedArray(pages, PAGE);
        array.fill(0, array.length(), (byte) 1);
        return RamRegion.ofAccessor(gpa, array.length(), array);
    }

    private static PageRanges ranges(long... gpasAndPages) {
        PageRanges ranges = new PageRanges(8);
        for (int i = 0; i < gpasAndPages.length; i += 2) {
            ranges.add(gpasAndPages[i] / PAGE, (int) gpasAndPages[i + 1]);
        }
        return ranges;
    }

    @Test
    void letsGoOfPagesInEachRegion() {
        PagedReclaimer reclaimer = new PagedReclaimer(GuestMemory.of(low, high));

        assertEquals(3 * PAGE, reclaimer.discard(ranges(PAGE, 1, HIGH, 2)));

        assertNull(lowPages[1]);
        assertNotNull(lowPages[0]);
        assertNull(highPages[0]);
        assertNull(highPages[1]);
        assertNotNull(highPages[2]);
        assertEquals(6 * PAGE, reclaimer.residentBytes(HIGH, 8 * PAGE));
    }

    @Test
    void neverTouchesThePagesOfRamThatMoved() {
        GuestMemory memory = GuestMemory.of(low, high);
        PagedReclaimer reclaimer = new PagedReclaimer(memory);
        byte[][] moved = highPages.clone();
        memory.detach(high);
        memory.attach(region(HIGH, moved));

        reclaimer.discard(ranges(HIGH, 8));

        assertNotNull(highPages[0]);
        assertNotNull(highPages[7]);
        assertNull(moved[0]);
        assertNull(moved[7]);
        assertEquals(0, reclaimer.residentBytes(HIGH, 8 * PAGE));
    }

    @Test
    void acceptsNothingOfRamThatIsNoPages() {
        byte[] flat = new byte[8 * PAGE];
        flat[0] = 7;
        GuestMemory memory = GuestMemory.of(low, RamRegion.ofArray(HIGH, flat));
        PagedReclaimer reclaimer = new PagedReclaimer(memory);

        assertEquals(PAGE, reclaimer.discard(ranges(0, 1, HIGH, 1)));

        assertEquals(7, flat[0]);
        assertEquals(1, reclaimer.discardCalls());
        assertEquals(PageReclaimer.UNKNOWN, reclaimer.residentBytes(HIGH, PAGE));
    }

    @Test
    void refusesRamThatIsAbsentBeforeAnyPageIsTouched() {
        GuestMemory memory = GuestMemory.of(low, high);
        PagedReclaimer reclaimer = new PagedReclaimer(memory);
        memory.detach(high);

        assertThrows(
                IllegalArgumentException.class, () -> reclaimer.discard(ranges(0, 1, HIGH, 1)));
        assertThrows(IllegalArgumentException.class, () -> reclaimer.discard(ranges(7 * PAGE, 2)));

        assertNotNull(lowPages[0]);
        assertNotNull(lowPages[7]);
        assertNotNull(highPages[0]);
    }

    @Test
    void theUnitIsTheLargestPage() {
        byte[][] largePages = new byte[2][];
        PagedArray large = new PagedArray(largePages, 4 * PAGE);
        large.fill(0, large.length(), (byte) 1);
        GuestMemory memory = GuestMemory.of(low, RamRegion.ofAccessor(HIGH, large.length(), large));
        PagedReclaimer reclaimer = new PagedReclaimer(memory);

        assertEquals(4 * PAGE, reclaimer.granularityBytes());
        assertEquals(8 * PAGE, reclaimer.discard(ranges(0, 4, HIGH + 4 * PAGE, 4)));

        assertNull(lowPages[3]);
        assertNotNull(lowPages[4]);
        assertNotNull(largePages[0]);
        assertNull(largePages[1]);
    }

    @Test
    void acceptsNothingOfLargerPagesThatComeLater() {
        byte[][] largePages = new byte[2][];
        PagedArray large = new PagedArray(largePages, 4 * PAGE);
        large.fill(0, large.length(), (byte) 1);
        GuestMemory memory = GuestMemory.of(low, RamRegion.absent(HIGH, large.length()));
        PagedReclaimer reclaimer = new PagedReclaimer(memory);
        memory.attach(RamRegion.ofAccessor(HIGH, large.length(), large));

        assertEquals(0, reclaimer.discard(ranges(HIGH, 8)));

        assertNotNull(largePages[0]);
    }

    @Test
    void refusesRegionsThatStartInsideAPage() {
        PagedArray large = new PagedArray(new byte[2][], 4 * PAGE);
        RamRegion inside = RamRegion.ofAccessor(PAGE, large.length(), large);

        assertThrows(
                IllegalArgumentException.class, () -> new PagedReclaimer(GuestMemory.of(inside)));
    }
}
