package io.aerostat.balloon.range;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Page numbers as guests send them, and ranges made of them, against a set of pages. */
final class PfnBatchTest {
    private static final int CAPACITY = 600;

    /** In which order a guest names its pages. */
    enum Pattern {
        UP {
            @Override
            int next(int last, Random random) {
                return last + 1;
            }
        },
        DOWN {
            @Override
            int next(int last, Random random) {
                return last - 1;
            }
        },
        SCATTERED {
            @Override
            int next(int last, Random random) {
                return random.nextInt();
            }
        },
        CROWDED {
            @Override
            int next(int last, Random random) {
                return random.nextInt(CAPACITY);
            }
        },
        RUNS_BOTH_WAYS {
            @Override
            int next(int last, Random random) {
                int dice = random.nextInt(16);
                return dice == 0 ? random.nextInt(2000) : dice < 3 ? last - 1 : last + 1;
            }
        },
        ZIGZAG_AROUND_A_GROWING_RUN {
            @Override
            int next(int last, Random random) {
                return last >= 5000 ? 9999 - last : 10_000 - last;
            }
        },
        REPEATED {
            @Override
            int next(int last, Random random) {
                return random.nextInt(3) == 0 ? last + 1 : last;
            }
        },
        /** What a guest that fills its memory sends: blocks of 256 pages, each downwards. */
        DESCENDING_IN_BLOCKS {
            @Override
            int next(int last, Random random) {
                return last % 256 == 0 ? 256 * random.nextInt(40) + 255 : last - 1;
            }
        };

        abstract int next(int last, Random random);
    }

    static LongStream seeds() {
        return Seeds.first(30);
    }

    @ParameterizedTest
    @EnumSource(Pattern.class)
    void rangesAreTheSetOfThePagesNamed(Pattern pattern) {
        PfnBatch batch = new PfnBatch(CAPACITY);
        for (int round = 0; round < 20; round++) {
            Random random = new Random(round);
            int length = round == 0 ? CAPACITY : random.nextInt(CAPACITY + 1);
            int[] pfns = pfns(pattern, length, random);

            assertMakesTheSet(batch, pfns, pattern + ", round=" + round);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void rangesAreTheSetOfAnyMixOfPatterns(long seed) {
        Random random = new Random(seed);
        PfnBatch batch = new PfnBatch(CAPACITY);
        int[] pfns = new int[CAPACITY];
        Pattern pattern = Pattern.UP;
        for (int i = 1; i < CAPACITY; i++) {
            if (random.nextInt(40) == 0) {
                pattern = Pattern.values()[random.nextInt(Pattern.values().length)];
            }
            pfns[i] = pattern.next(pfns[i - 1], random);
        }

        assertMakesTheSet(batch, pfns, Seeds.replay(seed));
    }

    @Test
    void theLastPageNumberAndTheFirstAreNoNeighbours() {
        PfnBatch up = new PfnBatch(4);
        PfnBatch down = new PfnBatch(4);

        up.add(new int[] {-2, -1, 0, 1}, 4);
        down.add(new int[] {1, 0, -1, -2}, 4);

        assertEquals(0, up.merge());
        assertEquals(0, down.merge());
        assertEquals("PageRanges[0+2, 4294967294+2]", up.ranges().toString());
        assertEquals("PageRanges[0+2, 4294967294+2]", down.ranges().toString());
    }

    @Test
    void aRunThatGrowsAtBothEndsIsOneRange() {
        PfnBatch batch = new PfnBatch(5);

        batch.add(new int[] {20, 21, 19, 22, 18}, 5);
        long repeated = batch.merge();

        assertEquals("PageRanges[18+5]", batch.ranges().toString());
        assertEquals(0, repeated);
    }

    @Test
    void aPageThatIsNamedAgainCountsOnceForEachTimeTooMany() {
        PfnBatch batch = new PfnBatch(8);

        batch.add(new int[] {7, 7, 7, 8, 9, 8, 7, 100}, 8);
        long repeated = batch.merge();

        assertEquals("PageRanges[7+3, 100+1]", batch.ranges().toString());
        assertEquals(4, repeated);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void rangesAndPageNumbersMakeOneSet(long seed) {
        Random random = new Random(seed);
        PfnBatch batch = new PfnBatch(CAPACITY);
        SortedSet<Long> pages = new TreeSet<>();
        long named = 0;
        long first = random.nextInt(5000);
        for (int i = random.nextInt(CAPACITY); i >= 0; i--) {
            int length = 1 + random.nextInt(40);
            first =
                    switch (random.nextInt(4)) {
                        case 0 -> first + length;
                        case 1 -> Math.max(0, first - length);
                        case 2 -> 0xFFFF_FFFFL - random.nextInt(300) - length;
                        default -> random.nextInt(5000);
                    };
            first = Math.min(first, 0xFFFF_FFFFL - 40);
            if (random.nextInt(3) == 0) {
                length = 1;
                batch.add((int) first);
            } else {
                batch.addRange(first, length);
            }
            for (int page = 0; page < length; page++) {
                pages.add(first + page);
            }
            named += length;
        }

        long repeated = batch.merge();

        String replay = Seeds.replay(seed);
        assertEquals(PageSets.rangesOf(pages), batch.ranges().toString(), replay);
        assertEquals(named - pages.size(), repeated, replay);
    }

    @Test
    void aRangeTakesTheRoomOfOnePageNumber() {
        PfnBatch batch = new PfnBatch(2);

        batch.addRange(7, 1_000_000);
        batch.addRange(0, 3);

        assertEquals(0, batch.room());
        assertThrows(IllegalStateException.class, () -> batch.addRange(3, 1));
        assertEquals(0, batch.merge());
        assertEquals("PageRanges[0+3, 7+1000000]", batch.ranges().toString());
    }

    @Test
    void aRangeInsideAnotherIsNamedTwice() {
        PfnBatch batch = new PfnBatch(4);
        batch.addRange(100, 50);
        batch.addRange(110, 10);
        batch.addRange(145, 10);
        batch.addRange(100, 1);

        assertEquals(10 + 5 + 1, batch.merge());
        assertEquals("PageRanges[100+55]", batch.ranges().toString());
    }

    @Test
    void takesAsManyPageNumbersAsItHasRoomFor() {
        PfnBatch batch = new PfnBatch(3);
        batch.add(new int[] {5, 9, 1, 77}, 3);

        assertEquals(0, batch.room());
        assertThrows(IllegalStateException.class, () -> batch.add(2));
    }

    @Test
    void countsPageNumbersAndNotRanges() {
        PfnBatch batch = new PfnBatch(4);

        batch.add(3);
        batch.add(3);
        batch.add(4);

        assertEquals(1, batch.room());
        assertFalse(batch.isEmpty());
    }

    @Test
    void startsAfreshAfterClear() {
        PfnBatch batch = new PfnBatch(2);
        batch.add(41);

        batch.clear();
        boolean empty = batch.isEmpty();
        batch.add(42);
        batch.merge();

        assertTrue(empty);
        assertEquals("PageRanges[42+1]", batch.ranges().toString());
    }

    private static int[] pfns(Pattern pattern, int length, Random random) {
        int[] pfns = new int[length];
        int last = 5000;
        for (int i = 0; i < length; i++) {
            last = pattern.next(last, random);
            pfns[i] = last;
        }
        return pfns;
    }

    private static void assertMakesTheSet(PfnBatch batch, int[] pfns, String what) {
        SortedSet<Long> pages = new TreeSet<>();
        IntStream.of(pfns).forEach(pfn -> pages.add(Integer.toUnsignedLong(pfn)));

        batch.clear();
        batch.add(pfns, pfns.length);
        long repeated = batch.merge();

        assertEquals(PageSets.rangesOf(pages), batch.ranges().toString(), what);
        assertEquals(pfns.length - pages.size(), repeated, what);
    }
}
