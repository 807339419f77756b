package io.aerostat.balloon.stats;

import static io.aerostat.balloon.stats.Contradiction.AVAILABLE_ABOVE_TOTAL;
import static io.aerostat.balloon.stats.Contradiction.CACHES_ABOVE_TOTAL;
import static io.aerostat.balloon.stats.Contradiction.CACHES_NOT_RESIDENT;
import static io.aerostat.balloon.stats.Contradiction.FREE_ABOVE_TOTAL;
import static io.aerostat.balloon.stats.Contradiction.FREE_INSIDE_BALLOON;
import static io.aerostat.balloon.stats.Contradiction.TOTAL_ABOVE_RAM;
import static io.aerostat.balloon.stats.Contradiction.UNKNOWN;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.spec.balloon.StatTag;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.Set;

/** Each contradiction at its edge, and none where a figure is absent. */
final class ContradictionTest {
    private static final long RAM = 1 << 20;

    /**
     * Figures of a guest that says {@code total}, {@code free}, {@code available}, {@code caches}.
     */
    private static GuestStatistics figures(long total, long free, long available, long caches) {
        GuestStatistics.Builder figures = new GuestStatistics.Builder();
        figures.put(5, total);
        figures.put(4, free);
        figures.put(6, available);
        figures.put(7, caches);
        return figures.build(0);
    }

    private static Set<Contradiction> in(GuestStatistics figures) {
        return Contradiction.in(figures, RAM, 0, UNKNOWN);
    }

    @Test
    void allAtTheirLimitsContradictNothing() {
        GuestStatistics figures = figures(RAM, RAM, RAM, RAM);

        assertEquals(Set.of(), Contradiction.in(figures, RAM, 0, RAM));
    }

    @Test
    void moreMemoryThanTheMachineHas() {
        assertEquals(Set.of(TOTAL_ABOVE_RAM), in(figures(RAM + 1, 0, 0, 0)));
    }

    @Test
    void moreFreeThanThereIs() {
        assertEquals(Set.of(FREE_ABOVE_TOTAL), in(figures(1000, 1001, 0, 0)));
    }

    @Test
    void moreAvailableThanThereIs() {
        assertEquals(Set.of(AVAILABLE_ABOVE_TOTAL), in(figures(1000, 0, 1001, 0)));
    }

    @Test
    void largerCachesThanMemory() {
        assertEquals(Set.of(CACHES_ABOVE_TOTAL), in(figures(1000, 0, 0, 1001)));
    }

    @Test
    void freeMemoryWhereTheBalloonIs() {
        GuestStatistics fits = figures(RAM, RAM - 5000, 0, 0);
        GuestStatistics over = figures(RAM, RAM - 4999, 0, 0);

        assertEquals(Set.of(), Contradiction.in(fits, RAM, 5000, UNKNOWN));
        assertEquals(Set.of(FREE_INSIDE_BALLOON), Contradiction.in(over, RAM, 5000, UNKNOWN));
    }

    @Test
    void cachesThatTheHostHasNoMemoryFor() {
        GuestStatistics figures = figures(RAM, 0, 0, 5000);

        assertEquals(Set.of(), Contradiction.in(figures, RAM, 0, 5000));
        assertEquals(Set.of(CACHES_NOT_RESIDENT), Contradiction.in(figures, RAM, 0, 4999));
        assertEquals(Set.of(CACHES_NOT_RESIDENT), Contradiction.in(figures, RAM, 0, 0));
        assertEquals(Set.of(), Contradiction.in(figures, RAM, 0, UNKNOWN));
    }

    @Test
    void figuresAreWithoutSign() {
        Set<Contradiction> found = Contradiction.in(figures(-1, -2, -3, -4), RAM, 0, 10);

        assertEquals(Set.of(TOTAL_ABOVE_RAM, FREE_INSIDE_BALLOON, CACHES_NOT_RESIDENT), found);
    }

    @Test
    void whatIsAbsentContradictsNothing() {
        assertEquals(
                Set.of(), Contradiction.in(new GuestStatistics.Builder().build(0), RAM, RAM, 0));
    }

    @ParameterizedTest
    @EnumSource(StatTag.class)
    void oneFigureAloneContradictsOnlyWhatTheHostKnows(StatTag tag) {
        GuestStatistics.Builder figures = new GuestStatistics.Builder();
        figures.put(tag.tag(), RAM + 1);

        Set<Contradiction> expected =
                switch (tag) {
                    case MEMTOT -> Set.of(TOTAL_ABOVE_RAM);
                    case MEMFREE -> Set.of(FREE_INSIDE_BALLOON);
                    default -> Set.of();
                };
        assertEquals(expected, in(figures.build(0)));
    }
}
