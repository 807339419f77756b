package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Random;
import java.util.TreeSet;
import java.util.stream.LongStream;

/** The set of ballooned pages gives its lowest page first, whatever came in between. */
final class BalloonedPagesTest {

    static LongStream seeds() {
        return Seeds.first(20);
    }

    @Test
    void startsEmpty() {
        BalloonedPages pages = new BalloonedPages(64);

        long count = pages.count();

        assertEquals(0, count);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void givesTheLowestPageLikeASortedSet(long seed) {
        Random random = new Random(seed);
        BalloonedPages pages = new BalloonedPages(1000);
        TreeSet<Integer> model = new TreeSet<>();
        for (int step = 0; step < 5000; step++) {
            boolean adds = model.isEmpty() || (random.nextInt(1000) < 500) == (step % 400 < 300);
            int pfn = random.nextInt(1000);
            if (adds && model.add(pfn)) {
                pages.add(pfn);
            } else if (!adds) {
                assertEquals(model.pollFirst(), pages.takeLowest(), Seeds.replay(seed));
            }
            assertEquals(model.size(), pages.count(), Seeds.replay(seed));
        }
    }
}
