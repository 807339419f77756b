package io.aerostat.balloon.range;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;

/** The sort of packed ranges against the library's, by page number. */
final class RangeSortTest {
    private static final int SHIFT = 24;
    private static final int CAPACITY = 300;

    private final RangeSort sort = new RangeSort(CAPACITY);

    static LongStream seeds() {
        return Seeds.first(20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void ordersEveryCountOfRandomPageNumbers(long seed) {
        Random random = new Random(seed);
        for (int count = 0; count <= CAPACITY; count++) {
            long[] values = random.longs(count, 0, 1L << (SHIFT + Integer.SIZE)).toArray();

            assertSorts(values, count, Seeds.replay(seed));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 16, 24})
    void ordersPageNumbersThatDifferInOneByteAlone(int bit) {
        long[] values = new long[256];
        for (int i = 0; i < values.length; i++) {
            long others = 0x5A5A_5A5AL & ~(0xFFL << bit);
            long pfn = others | ((long) (i * 37 & 0xFF) << bit);
            values[i] = pfn << SHIFT | i;
        }

        assertSorts(values, values.length, "bit=" + bit);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x03, 0x05, 0x07, 0x09, 0x0B, 0x0D, 0x0F})
    void ordersWhicheverBytesDiffer(int bytes) {
        Random random = new Random(bytes);
        long mask = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            mask |= (bytes >>> i & 1) == 0 ? 0 : 0xFFL << (SHIFT + 8 * i);
        }
        long varying = mask;
        long[] values = random.longs(200).map(value -> value & varying).toArray();

        assertSorts(values, values.length, "bytes=" + bytes);
    }

    @Test
    void leavesWhatIsBehindTheCountAlone() {
        long[] values = LongStream.range(0, 100).map(i -> (100 - i) << SHIFT).toArray();
        long[] behind = Arrays.copyOfRange(values, 60, 100);

        sort.sort(values, 60, SHIFT);

        assertArrayEquals(behind, Arrays.copyOfRange(values, 60, 100));
    }

    private void assertSorts(long[] values, int count, String what) {
        long[] expected = keys(values);
        Arrays.sort(expected);
        long[] whole = values.clone();
        Arrays.sort(whole);

        sort.sort(values, count, SHIFT);

        assertArrayEquals(expected, keys(values), what);
        long[] kept = values.clone();
        Arrays.sort(kept);
        assertArrayEquals(whole, kept, () -> "a range was lost or changed: " + what);
    }

    private static long[] keys(long[] values) {
        return Arrays.stream(values).map(value -> value >>> SHIFT).toArray();
    }
}
