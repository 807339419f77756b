package io.aerostat.balloon.range;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** The ledger against a bit set, over regions with holes and without. */
final class PageLedgerTest {
    private static final int PAGE = 4096;

    /** The last page that a 32-bit number names. */
    private static final long LAST_PFN = 0xFFFF_FFFFL;

    private static RamRegion region(long pfn, int pages) {
        return RamRegion.ofArray(pfn * PAGE, new byte[pages * PAGE]);
    }

    static LongStream seeds() {
        return Seeds.first(30);
    }

    @Test
    void everyRangeAroundWordEdgesIsAddedAndRemovedExactly() {
        GuestMemory memory = GuestMemory.of(region(100, 130));
        PageLedger ledger = new PageLedger(memory);
        for (int from = 0; from < 130; from++) {
            for (int pages = 1; pages <= 130 - from; pages++) {
                assertEquals(pages, ledger.add(100 + from, pages));
                assertEquals(List.of(text(100 + from, pages)), ranges(ledger));
                assertEquals(pages, ledger.count());
                assertEquals(pages, ledger.remove(100 + from, pages));
                assertEquals(List.of(), ranges(ledger));
            }
        }
    }

    @Test
    void everyRangeAroundWordEdgesIsCutOutOfAFullLedgerExactly() {
        GuestMemory memory = GuestMemory.of(region(0, 3), region(50, 130), region(180, 5));
        PageLedger ledger = new PageLedger(memory);
        ledger.add(0, 3);
        ledger.add(50, 130);
        ledger.add(180, 5);
        for (int from = 0; from < 130; from++) {
            for (int to = from + 1; to <= 130; to++) {
                List<String> expected = new ArrayList<>(List.of("0+3"));
                addIfAny(expected, 50, from);
                addIfAny(expected, 50 + to, 130 - to);
                expected.add("180+5");

                assertEquals(to - from, ledger.remove(50 + from, to - from));
                assertEquals(expected, ranges(ledger));
                assertEquals(to - from, ledger.add(50 + from, to - from));
            }
        }
    }

    private static void addIfAny(List<String> ranges, long pfn, int pages) {
        if (pages > 0) {
            ranges.add(text(pfn, pages));
        }
    }

    @Test
    void knowsEachPageByItself() {
        GuestMemory memory = GuestMemory.of(region(7, 70));
        PageLedger ledger = new PageLedger(memory);
        for (int pfn = 7; pfn < 77; pfn++) {
            ledger.add(pfn, 1);
            for (int other = 0; other < 90; other++) {
                assertEquals(other == pfn, ledger.contains(other), "page " + other);
            }
            ledger.remove(pfn, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithABitSetAtEveryStep(long seed) {
        Random random = new Random(seed);
        List<RamRegion> regions = randomRegions(random);
        GuestMemory memory = GuestMemory.of(regions.toArray(RamRegion[]::new));
        PageLedger ledger = new PageLedger(memory);
        List<BitSet> model = regions.stream().map(region -> new BitSet()).toList();
        for (int step = 0; step < 400; step++) {
            int at = random.nextInt(regions.size());
            int size = (int) (regions.get(at).length() / PAGE);
            int from = random.nextInt(size);
            int pages = 1 + random.nextInt(random.nextBoolean() ? size - from : 1);
            boolean adding = random.nextInt(5) < (step / 100 % 2 == 0 ? 4 : 1);
            long pfn = regions.get(at).gpa() / PAGE + from;
            String where = "step=" + step + ", " + Seeds.replay(seed);
            int before = model.get(at).cardinality();

            long changed = adding ? ledger.add(pfn, pages) : ledger.remove(pfn, pages);
            model.get(at).set(from, from + pages, adding);

            assertEquals(Math.abs(model.get(at).cardinality() - before), changed, where);
            assertEquals(sum(model), ledger.count(), where);
            assertEquals(ranges(regions, model), ranges(ledger), where);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void countsAnyRangeAsABitSetDoes(long seed) {
        Random random = new Random(seed);
        List<RamRegion> regions = randomRegions(random);
        GuestMemory memory = GuestMemory.of(regions.toArray(RamRegion[]::new));
        PageLedger ledger = new PageLedger(memory);
        List<BitSet> model = fillAtRandom(random, regions, ledger);
        for (int step = 0; step < 300; step++) {
            int at = random.nextInt(regions.size());
            int size = (int) (regions.get(at).length() / PAGE);
            int from = random.nextInt(size);
            int pages = 1 + random.nextInt(size - from);
            long pfn = regions.get(at).gpa() / PAGE + from;
            int expected = model.get(at).get(from, from + pages).cardinality();

            assertEquals(expected, ledger.count(pfn, pages), () -> Seeds.replay(seed));
            assertEquals(expected == pages, ledger.containsAll(pfn, pages));
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void takesInAllThatAnotherHas(long seed) {
        Random random = new Random(seed);
        List<RamRegion> regions = randomRegions(random);
        GuestMemory memory = GuestMemory.of(regions.toArray(RamRegion[]::new));
        PageLedger ledger = new PageLedger(memory);
        PageLedger other = new PageLedger(memory);
        List<BitSet> model = fillAtRandom(random, regions, ledger);
        List<BitSet> otherModel = fillAtRandom(random, regions, other);

        ledger.addAll(other);

        for (int i = 0; i < model.size(); i++) {
            model.get(i).or(otherModel.get(i));
        }
        assertEquals(ranges(regions, model), ranges(ledger), () -> Seeds.replay(seed));
        assertEquals(sum(model), ledger.count());
        assertEquals(ranges(regions, otherModel), ranges(other), "the other stays");
        ledger.addAll(other);
        assertEquals(sum(model), ledger.count(), "twice is once");
    }

    private static List<BitSet> fillAtRandom(
            Random random, List<RamRegion> regions, PageLedger ledger) {
        List<BitSet> model = new ArrayList<>();
        for (RamRegion region : regions) {
            int size = (int) (region.length() / PAGE);
            BitSet bits = new BitSet();
            for (int i = random.nextInt(4); i > 0; i--) {
                int from = random.nextInt(size);
                int to = from + 1 + random.nextInt(size - from);
                bits.set(from, to);
                ledger.add(region.gpa() / PAGE + from, to - from);
            }
            model.add(bits);
        }
        return model;
    }

    @Test
    void aRangeThatIsNotInOneRegionHasNone() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(10, 64), region(74, 64)));
        ledger.add(10, 64);
        ledger.add(74, 64);

        assertEquals(0, ledger.count(73, 2), "over the edge of two regions that touch");
        assertFalse(ledger.containsAll(73, 2));
        assertEquals(0, ledger.count(137, 2), "into what is no RAM");
        assertFalse(ledger.containsAll(137, 2));
        assertEquals(0, ledger.count(9, 2));
        assertFalse(ledger.containsAll(9, 1));
        assertFalse(ledger.containsAll(LAST_PFN, 1));
        assertTrue(ledger.containsAll(10, 64));
        assertTrue(ledger.containsAll(74, 64));
    }

    /** Sizes around a word; half of the regions touch the one before. */
    private static List<RamRegion> randomRegions(Random random) {
        int[] sizes = {1, 2, 63, 64, 65, 127, 128, 129, 200};
        List<RamRegion> regions = new ArrayList<>();
        long pfn = random.nextBoolean() ? 0 : LAST_PFN - 10_000;
        for (int i = 1 + random.nextInt(6); i > 0; i--) {
            int size = sizes[random.nextInt(sizes.length)];
            regions.add(region(pfn, size));
            pfn += size + (random.nextBoolean() ? 0 : 1 + random.nextInt(300));
        }
        return regions;
    }

    private static long sum(List<BitSet> model) {
        return model.stream().mapToLong(BitSet::cardinality).sum();
    }

    private static List<String> ranges(List<RamRegion> regions, List<BitSet> model) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < model.size(); i++) {
            long first = regions.get(i).gpa() / PAGE;
            BitSet bits = model.get(i);
            int from = bits.nextSetBit(0);
            while (from >= 0) {
                int to = bits.nextClearBit(from);
                found.add(text(first + from, to - from));
                from = bits.nextSetBit(to);
            }
        }
        return found;
    }

    @Test
    void pagesThatAreInAlreadyAreNotAddedAgain() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(0, 200)));
        ledger.add(60, 10);

        long added = ledger.add(50, 100);

        assertEquals(90, added);
        assertEquals(100, ledger.count());
    }

    @Test
    void pagesThatAreNotInAreNotRemoved() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(0, 200)));
        ledger.add(60, 10);

        long removed = ledger.remove(0, 65);

        assertEquals(5, removed);
        assertEquals(List.of("65+5"), ranges(ledger));
    }

    @Test
    void rangesEndWithTheirRegion() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(10, 64), region(74, 6)));

        ledger.add(10, 64);
        ledger.add(74, 6);

        assertEquals(List.of("10+64", "74+6"), ranges(ledger));
    }

    @Test
    void holdsTheVeryLastPageNumber() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(LAST_PFN, 1)));

        ledger.add(LAST_PFN, 1);

        assertTrue(ledger.contains(LAST_PFN));
        assertFalse(ledger.contains(LAST_PFN - 1));
        assertFalse(ledger.contains(0));
    }

    @Test
    void aPageThatIsNotRamIsNotInTheBalloon() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(10, 2), region(14, 2)));
        ledger.add(10, 2);
        ledger.add(14, 2);

        assertFalse(ledger.contains(9));
        assertFalse(ledger.contains(12));
        assertFalse(ledger.contains(13));
        assertFalse(ledger.contains(16));
        assertFalse(ledger.contains(LAST_PFN));
    }

    @Test
    void refusesARangeThatLeavesItsRegion() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(10, 2), region(12, 2)));

        assertThrows(IllegalArgumentException.class, () -> ledger.add(11, 2));
        assertThrows(IllegalArgumentException.class, () -> ledger.remove(11, 2));
        assertThrows(IllegalArgumentException.class, () -> ledger.add(9, 1));
        assertThrows(IllegalArgumentException.class, () -> ledger.add(14, 1));
        assertEquals(0, ledger.count());
    }

    @Test
    void isEmptyAgainAfterClear() {
        PageLedger ledger = new PageLedger(GuestMemory.of(region(0, 100)));
        ledger.add(3, 80);

        ledger.clear();

        assertEquals(0, ledger.count());
        assertEquals(List.of(), ranges(ledger));
        assertEquals(80, ledger.add(3, 80));
    }

    private static List<String> ranges(PageLedger ledger) {
        List<String> found = new ArrayList<>();
        ledger.forEachRange((pfn, pages) -> found.add(text(pfn, pages)));
        return found;
    }

    private static String text(long pfn, long pages) {
        return pfn + "+" + pages;
    }
}
