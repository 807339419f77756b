package io.aerostat.balloon.range;

import java.util.Arrays;

/**
 * Sorts packed ranges by page number: least significant byte first, in rooms made beforehand.
 *
 * <p>Not {@link Arrays#sort(long[])}: for input that is made of sorted runs, which a guest can
 * arrange, it allocates. Bytes that are the same in all ranges, as the high ones mostly are, cost a
 * look and no pass.
 */
final class RangeSort {
    private static final int RADIX_BITS = 8;
    private static final int BUCKETS = 1 << RADIX_BITS;
    private static final int INSERTION_LIMIT = 24;

    private final long[] spare;
    private final int[] starts = new int[BUCKETS];

    RangeSort(int capacity) {
        spare = new long[capacity];
    }

    /** Sorts the first {@code count} values by the 32 bits above {@code shift}. */
    void sort(long[] values, int count, int shift) {
        if (count <= INSERTION_LIMIT) {
            insertionSort(values, count);
            return;
        }
        long varying = varyingBits(values, count);
        long[] from = values;
        long[] to = spare;
        boolean inSpare = false;
        for (int bit = shift; bit < shift + Integer.SIZE; bit += RADIX_BITS) {
            if ((varying >>> bit & (BUCKETS - 1)) != 0) {
                distribute(from, to, count, bit);
                long[] swap = from;
                from = to;
                to = swap;
                inSpare = !inSpare;
            }
        }
        if (inSpare) {
            System.arraycopy(from, 0, values, 0, count);
        }
    }

    private static long varyingBits(long[] values, int count) {
        long varying = 0;
        for (int i = 1; i < count; i++) {
            varying |= values[i] ^ values[0];
        }
        return varying;
    }

    private void distribute(long[] from, long[] to, int count, int bit) {
        Arrays.fill(starts, 0);
        for (int i = 0; i < count; i++) {
            starts[bucket(from[i], bit)]++;
        }
        int start = 0;
        for (int bucket = 0; bucket < BUCKETS; bucket++) {
            int size = starts[bucket];
            starts[bucket] = start;
            start += size;
        }
        for (int i = 0; i < count; i++) {
            to[starts[bucket(from[i], bit)]++] = from[i];
        }
    }

    private static int bucket(long value, int bit) {
        return (int) (value >>> bit) & (BUCKETS - 1);
    }

    private static void insertionSort(long[] values, int count) {
        for (int i = 1; i < count; i++) {
            long value = values[i];
            int at = i;
            while (at > 0 && values[at - 1] > value) {
                values[at] = values[at - 1];
                at--;
            }
            values[at] = value;
        }
    }
}
