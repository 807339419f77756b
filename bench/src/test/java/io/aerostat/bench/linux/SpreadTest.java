package io.aerostat.bench.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class SpreadTest {
    @Test
    void theMedianOfAnOddNumberIsTheMiddleOne() {
        assertEquals(new Spread(1, 7, 100), Spread.of(100, 7, 1));
        assertEquals(new Spread(5, 5, 5), Spread.of(5));
    }

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
        assertEquals(new Spread(1, 5, 100), Spread.of(100, 7, 3, 1));
    }

    @Test
    void leavesTheValuesInTheirOrder() {
        double[] values = {3, 1, 2};

        assertEquals(2, Spread.of(values).median());

        assertArrayEquals(new double[] {3, 1, 2}, values);
    }

    @Test
    void refusesNothing() {
        assertThrows(IllegalArgumentException.class, Spread::of);
    }
}
