package io.aerostat.bench.linux;

import java.util.Arrays;

/**
 * Where the values of several rounds lie.
 *
 * @param minimum the smallest
 * @param median the middle one, or the mean of the two in the middle
 * @param maximum the largest
 */
record Spread(double minimum, double median, double maximum) {
    /** The spread of these values, in any order; they are not changed. */
    static Spread of(double... values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("no values have no spread");
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        double median =
                sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new Spread(sorted[0], median, sorted[sorted.length - 1]);
    }
}
