package io.aerostat.guest.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Pages of known contents: what happens to any of them is found. */
final class PageWorkloadTest {
    private static final int PAGES = 64;
    private static final int PAGE = GuestRam.PAGE;
    private static final long SEED = 42;

    private final GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, PAGES * PAGE);
    private final PageAllocator allocator = allocatorOf(ram);
    private final PageWorkload workload = new PageWorkload(ram.memory(), allocator, SEED);

    static LongStream seeds() {
        return Seeds.first(10);
    }

    private static PageAllocator allocatorOf(GuestRam ram) {
        return new BuddyAllocator(ram.base() >>> 12, ram.length() / PAGE);
    }

    private long gpa(int page) {
        return ram.base() + (long) page * PAGE;
    }

    private static void write(GuestRam ram, long gpa, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            ram.poke(gpa + i, bytes[i]);
        }
    }

    // growing and shrinking

    @Test
    void takesAsManyPagesAsItIsTold() {
        long grown = workload.grow(10);

        assertEquals(10, grown);
        assertEquals(10, workload.ownedPages());
        assertEquals(PAGES - 10, allocator.freePages());
    }

    @Test
    void takesWhatThereIs() {
        long grown = workload.grow(PAGES + 1);

        assertEquals(PAGES, grown);
        assertEquals(PAGES, workload.ownedPages());
        assertEquals(0, allocator.freePages());
    }

    @ParameterizedTest
    @CsvSource({"20, 1", "20, 7", "20, 20", "20, 1000", "64, 3", "0, 5"})
    void givesBackAsManyPagesAsItIsToldInRunsOfAnyLength(int wanted, int runPages) {
        workload.grow(PAGES);

        long given = workload.shrink(wanted, runPages);

        assertEquals(wanted, given);
        assertEquals(PAGES - wanted, workload.ownedPages());
        assertEquals(wanted, allocator.freePages());
    }

    @Test
    void givesBackNoMoreThanItOwns() {
        workload.grow(10);

        long given = workload.shrink(50, 4);

        assertEquals(10, given);
        assertEquals(0, workload.ownedPages());
        assertEquals(PAGES, allocator.freePages());
    }

    @Test
    void givesBackNeighboursInARun() {
        workload.grow(PAGES);

        workload.shrink(8, 8);

        BitSet free = freePages(allocator);
        int first = free.nextSetBit(0);
        assertEquals(first + 8, free.nextClearBit(first));
    }

    @Test
    void drawsWhereARunBeginsByTheSeed() {
        long beginnings =
                LongStream.range(0, 10)
                        .mapToInt(PageWorkloadTest::firstPageGiven)
                        .distinct()
                        .count();

        assertTrue(beginnings > 3, "beginnings=" + beginnings);
    }

    private static int firstPageGiven(long seed) {
        GuestRam fresh = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, PAGES * PAGE);
        PageAllocator pages = allocatorOf(fresh);
        PageWorkload drawn = new PageWorkload(fresh.memory(), pages, seed);
        drawn.grow(PAGES);
        drawn.shrink(8, 8);
        return freePages(pages).nextSetBit(0);
    }

    @Test
    void givesBackPagesHereAndThereInSingleRuns() {
        workload.grow(PAGES);

        workload.shrink(16, 1);

        BitSet free = freePages(allocator);
        int first = free.nextSetBit(0);
        assertNotEquals(first + 16, free.nextClearBit(first));
    }

    private static BitSet freePages(PageAllocator allocator) {
        BitSet free = new BitSet();
        for (int pfn = allocator.allocate(0); pfn >= 0; pfn = allocator.allocate(0)) {
            free.set(pfn);
        }
        return free;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void ownsNoPageTwiceAndKeepsItsOwnOverManyRounds(long seed) {
        // The allocator throws if a page is freed that is free, so if one was owned twice.
        Random random = new Random(seed);
        PageWorkload churning = new PageWorkload(ram.memory(), allocator, seed);
        for (int round = 0; round < 40; round++) {
            churning.grow(random.nextInt(PAGES));
            churning.shrink(random.nextInt(PAGES), 1 + random.nextInt(9));
            assertEquals(0, churning.corruptedPages(), Seeds.replay(seed));
            assertEquals(PAGES, churning.ownedPages() + allocator.freePages(), Seeds.replay(seed));
        }

        churning.shrink(PAGES, 5);

        assertEquals(PAGES, allocator.freePages(), Seeds.replay(seed));
    }

    @Test
    void leavesThePagesOfOthersAlone() {
        PageWorkload other = new PageWorkload(ram.memory(), allocator, SEED + 1);
        for (int round = 0; round < 5; round++) {
            workload.grow(7);
            other.grow(5);
        }

        workload.shrink(30, 2);
        workload.grow(30);

        assertEquals(0, workload.corruptedPages());
        assertEquals(0, other.corruptedPages());
    }

    // replay

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE})
    void doesTheSameAgainFromTheSameSeed(long seed) {
        byte[] first = bytesAfterARun(seed);
        byte[] second = bytesAfterARun(seed);

        assertTrue(Arrays.equals(first, second));
    }

    @Test
    void doesOtherwiseFromAnotherSeed() {
        byte[] one = bytesAfterARun(1);
        byte[] two = bytesAfterARun(2);

        assertTrue(!Arrays.equals(one, two));
    }

    private static byte[] bytesAfterARun(long seed) {
        GuestRam fresh = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, PAGES * PAGE);
        PageWorkload again = new PageWorkload(fresh.memory(), allocatorOf(fresh), seed);
        again.grow(50);
        again.shrink(30, 3);
        again.grow(20);
        return fresh.bytes(fresh.base(), fresh.length());
    }

    // corruption

    @ParameterizedTest
    @MethodSource("io.aerostat.virtio.testkit.GuestRam#kinds")
    void findsNothingWrongWithWhatItWrote(GuestRam.Kind kind) {
        GuestRam other = GuestRam.of(kind, PAGES * PAGE);
        PageWorkload fresh = new PageWorkload(other.memory(), allocatorOf(other), SEED);

        fresh.grow(PAGES);

        assertEquals(PAGES, fresh.ownedPages());
        assertEquals(0, fresh.corruptedPages());
    }

    @Test
    void findsEachFlippedBitOfAPage() {
        workload.grow(1);
        for (int bit = 0; bit < PAGE * 8; bit++) {
            long at = gpa(0) + bit / 8;
            int before = ram.peek(at);

            ram.poke(at, before ^ (1 << (bit % 8)));
            long corrupted = workload.corruptedPages();
            ram.poke(at, before);

            assertEquals(1, corrupted, "bit " + bit);
        }
    }

    @Test
    void findsTwoSwappedPages() {
        workload.grow(PAGES);
        byte[] third = ram.bytes(gpa(3), PAGE);
        byte[] fourth = ram.bytes(gpa(4), PAGE);

        write(ram, gpa(3), fourth);
        write(ram, gpa(4), third);

        assertEquals(2, workload.corruptedPages());
    }

    @Test
    void findsAZeroedPage() {
        workload.grow(PAGES);

        ram.fill(gpa(63), PAGE, 0);

        assertEquals(1, workload.corruptedPages());
    }

    @Test
    void findsEveryPageThatIsWrong() {
        workload.grow(PAGES);

        ram.fill(ram.base(), ram.length(), 0);

        assertEquals(PAGES, workload.corruptedPages());
    }

    @Test
    void findsAPageThatShowsWhatAnotherSeedWrote() {
        GuestRam elsewhere = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, PAGES * PAGE);
        new PageWorkload(elsewhere.memory(), allocatorOf(elsewhere), SEED + 1).grow(PAGES);
        workload.grow(PAGES);

        write(ram, gpa(9), elsewhere.bytes(elsewhere.base() + 9L * PAGE, PAGE));

        assertEquals(1, workload.corruptedPages());
    }

    @Test
    void caresForItsOwnPagesOnly() {
        workload.grow(PAGES);
        workload.shrink(PAGES, PAGES);

        ram.fill(ram.base(), ram.length(), 0);

        assertEquals(0, workload.corruptedPages());
    }

    @Test
    void holdsNoTwoEqualWords() {
        workload.grow(PAGES);

        long distinct =
                IntStream.range(0, ram.length() / 8)
                        .mapToLong(i -> ram.le64(ram.base() + 8L * i))
                        .distinct()
                        .count();

        assertEquals(ram.length() / 8, distinct);
    }

    @Test
    void refusesAPageThatIsNotRam() {
        PageAllocator beyond = new BuddyAllocator(ram.end() >>> 12, 4);
        PageWorkload lost = new PageWorkload(ram.memory(), beyond, SEED);

        assertThrows(IllegalStateException.class, () -> lost.grow(1));
    }
}
