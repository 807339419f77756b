package io.aerostat.balloon.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.range.HostPages;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.ProtectedPages;
import io.aerostat.balloon.range.RamClip;
import io.aerostat.balloon.range.RecordingReclaimer;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;

/** What inflation asks of the host, for hosts of every unit. */
final class InflationTest {
    private static final int PAGE = 4096;
    private static final long BASE_PFN = 0x40_0000;

    private final BalloonCounters counters = new BalloonCounters();
    private final ProtectedPages ring = new ProtectedPages(1);

    private GuestRam ram;
    private RecordingReclaimer reclaimer;
    private Inflation inflation;

    private void setUp(int pages, int granularityBytes) {
        ram = GuestRam.of(GuestRam.Kind.DIRECT_BUFFER, BASE_PFN * PAGE, pages * PAGE);
        reclaimer = new RecordingReclaimer(ram, granularityBytes);
        RamClip clip = new RamClip(ram.memory(), ring, 8);
        PageLedger ledger = new PageLedger(ram.memory());
        HostPages hostPages = new HostPages(ram.memory(), ledger, ring, granularityBytes, 16);
        inflation = new Inflation(clip, ledger, hostPages, reclaimer, counters);
    }

    private void inflate(int... firstAndPages) {
        PageRanges ranges = new PageRanges(8);
        for (int i = 0; i < firstAndPages.length; i += 2) {
            ranges.add(BASE_PFN + firstAndPages[i], firstAndPages[i + 1]);
        }
        inflation.apply(ranges, 0);
    }

    private static String range(int first, int pages) {
        return BASE_PFN + first + "+" + pages;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 16})
    void ofEveryRangeTheWholeUnitsInsideAreDiscarded(int unitPages) {
        int span = 3 * unitPages + 2;
        setUp(span, unitPages * PAGE);
        for (int from = 0; from < span; from++) {
            for (int pages = 1; pages <= span - from; pages++) {
                List<String> expected = new ArrayList<>();
                int units = unitsInside(from, from + pages, unitPages);
                if (units > 0) {
                    int first = (from + unitPages - 1) / unitPages * unitPages;
                    expected.add(range(first, units * unitPages));
                }

                inflate(from, pages);

                assertEquals(expected, reclaimer.takeDiscards(), from + "+" + pages);
            }
        }
    }

    private static int unitsInside(int from, int to, int unitPages) {
        int units = 0;
        for (int unit = 0; unit < to; unit += unitPages) {
            units += unit >= from && unit + unitPages <= to ? 1 : 0;
        }
        return units;
    }

    @Test
    void aHugePageIsDiscardedOnlyWhole() {
        setUp(1536, 512 * PAGE);

        inflate(1, 511, 513, 1000);

        assertEquals(List.of(), reclaimer.takeDiscards());
        inflate(0, 513);
        assertEquals(List.of(range(0, 512)), reclaimer.takeDiscards());
        assertEquals(0, ram.peek((BASE_PFN + 512) * PAGE));
        assertEquals(RecordingReclaimer.SCRIBBLE, ram.peek((BASE_PFN + 512) * PAGE - 1));
    }

    @Test
    void nothingIsAskedWhereNoUnitIsWhole() {
        setUp(64, 16 * PAGE);

        inflate(1, 15, 17, 15, 33, 15);

        assertEquals(0, reclaimer.discardCalls());
        assertEquals(0, counters.get(BalloonCounter.BYTES_ASKED));
        assertEquals(45, counters.get(BalloonCounter.PAGES_INFLATED));
    }

    @Test
    void aUnitWithARingInItStays() {
        setUp(64, 16 * PAGE);
        ring.protect(0, (BASE_PFN + 20) * PAGE, 1);

        inflate(0, 64);

        assertEquals(List.of(range(0, 16), range(32, 32)), reclaimer.takeDiscards());
        assertEquals(63, counters.get(BalloonCounter.PAGES_INFLATED));
        assertEquals(1, counters.get(BalloonCounter.PAGES_OF_LIVE_RING));
    }

    @Test
    void aHostThatTakesLessIsBelieved() {
        setUp(16, PAGE);
        reclaimer.acceptAtMost(3 * PAGE);

        inflate(0, 2, 8, 4);

        assertEquals(6 * PAGE, counters.get(BalloonCounter.BYTES_ASKED));
        assertEquals(3 * PAGE, counters.get(BalloonCounter.BYTES_ACCEPTED));
        assertEquals(6, counters.get(BalloonCounter.PAGES_INFLATED));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -4096, 1, 2048, 4095, 4097, 12_288, Integer.MIN_VALUE})
    void refusesAUnitThatIsNone(int granularityBytes) {
        assertThrows(IllegalArgumentException.class, () -> setUp(16, granularityBytes));
    }
}
