package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A guest that names what it should not. Each case is counted, its request is returned, the device
 * lives on, and no byte changes but those of pages that may be taken.
 */
@DisplayName("Hostile page numbers (the standard leaves them open, 5.5)")
final class HostilePageNumbersTest {
    private final BalloonRig rig = new BalloonRig().start();

    @AfterEach
    void theDeviceLives() {
        assertFalse(rig.needsReset());
        rig.inflate(rig.data(399));
        assertEquals(List.of(rig.range(399, 1)), rig.reclaimer.takeDiscards());
    }

    /** Sends a request and says which pages of RAM it may cost. */
    private void inflateAndExpect(int[] pfns, int... discarded) {
        rig.offer(INFLATE, pfns);
        byte[] before = rig.snapshot();
        rig.kick(INFLATE);

        rig.settle();

        assertEquals(1, rig.reap(INFLATE));
        rig.assertOnlyDiscarded(before, discarded);
        rig.reclaimer.takeDiscards();
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                0, // RAM begins further up
                15, // the page before RAM
                16 + 512, // the hole behind the first region
                16 + 514, // behind the last region
                0x7FFF_FFFF,
                0x8000_0000, // negative as an int
                0xFFFF_FFFF,
                0x0010_0010, // RAM, if the shift lost its high bits
            })
    void aPageThatIsNotRamIsCounted(int pfn) {
        inflateAndExpect(new int[] {pfn});

        assertEquals(Map.of(BalloonCounter.PAGES_OUTSIDE_RAM, 1L), rig.anomalies());
        assertEquals(0, rig.device.ledgerPages());
    }

    @Test
    void pageZeroIsARingWhereTheRingIsAtZero() {
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 0, 512 * 4096);
        BalloonRig fromZero = new BalloonRig(ram, BalloonOptions.DEFAULT, 4096).start();

        fromZero.inflate(0);

        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 1L), fromZero.anomalies());
    }

    @Test
    void ofARangeThatRunsOutOfRamThePartInRamIsTaken() {
        int last = rig.pfn(511);

        inflateAndExpect(
                IntStream.range(last - 2, last + 5).toArray(), last - 2, last - 1, last, last + 2);

        assertEquals(Map.of(BalloonCounter.PAGES_OUTSIDE_RAM, 3L), rig.anomalies());
        assertEquals(4, rig.device.ledgerPages());
    }

    @Test
    void aPageNamedTwiceInOneRequestIsInflatedOnce() {
        int page = rig.data(4);

        inflateAndExpect(new int[] {page, page, rig.data(9), page}, page, rig.data(9));

        assertEquals(Map.of(BalloonCounter.PAGES_INFLATED_TWICE, 2L), rig.anomalies());
        assertEquals(2, rig.counter(BalloonCounter.PAGES_INFLATED));
        assertEquals(2 * 4096, rig.counter(BalloonCounter.BYTES_ASKED));
    }

    @Test
    void aPageNamedInTwoRequestsOfOnePassIsInflatedOnce() {
        rig.offer(INFLATE, rig.data(4));
        rig.offer(INFLATE, rig.data(4));

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(2, rig.reap(INFLATE));
        assertEquals(List.of(rig.range(4, 1)), rig.reclaimer.takeDiscards());
        assertEquals(Map.of(BalloonCounter.PAGES_INFLATED_TWICE, 1L), rig.anomalies());
    }

    @Test
    void aSecondInflateOfAPageIsCounted() {
        rig.inflate(rig.dataRun(0, 10));

        rig.inflate(rig.dataRun(5, 10));
        rig.reclaimer.takeDiscards();

        assertEquals(Map.of(BalloonCounter.PAGES_INFLATED_TWICE, 5L), rig.anomalies());
        assertEquals(15, rig.device.ledgerPages());
    }

    @Test
    void aDeflateOfPagesThatWereNeverInflatedIsCounted() {
        rig.inflate(rig.dataRun(0, 10));
        rig.reclaimer.takeDiscards();

        rig.deflate(rig.dataRun(8, 4));

        assertEquals(Map.of(BalloonCounter.PAGES_DEFLATED_UNASKED, 2L), rig.anomalies());
        assertEquals(8, rig.device.ledgerPages());
    }

    @Test
    void aSecondDeflateOfAPageIsCounted() {
        rig.inflate(rig.dataRun(0, 10));
        rig.reclaimer.takeDiscards();

        rig.deflate(rig.data(3), rig.data(3));
        rig.deflate(rig.data(3));

        assertEquals(Map.of(BalloonCounter.PAGES_DEFLATED_UNASKED, 2L), rig.anomalies());
        assertEquals(9, rig.device.ledgerPages());
    }

    @Test
    void aDeflateOutsideRamOrOfTheRingIsCountedAndTouchesNothing() {
        rig.offer(DEFLATE, -1, 0, rig.pfn(1), rig.pfn(512));
        byte[] before = rig.snapshot();

        rig.kick(DEFLATE);
        rig.settle();

        rig.assertOnlyDiscarded(before);
        assertEquals(List.of(), rig.reclaimer.takeReuses());
        assertEquals(
                Map.of(
                        BalloonCounter.PAGES_OUTSIDE_RAM, 3L,
                        BalloonCounter.PAGES_OF_LIVE_RING, 1L),
                rig.anomalies());
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 0", "3, 0", "5, 1", "6, 1", "7, 1", "4095, 1023"})
    void anOddLengthIsCountedAndItsWholeNumbersTaken(int length, int pages) {
        int[] pfns = IntStream.range(0, 1024).map(i -> rig.data(i % 300)).toArray();
        rig.offer(INFLATE, rig.write(pfns), length, false);

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(1, rig.reap(INFLATE));
        assertEquals(Math.min(pages, 300), rig.device.ledgerPages());
        assertEquals(1, rig.counter(BalloonCounter.PARTIAL_PAGE_NUMBERS));
        rig.reclaimer.takeDiscards();
    }

    @Test
    void theDevicesOwnRingsAreNeverDiscarded() {
        int[] rings = IntStream.range(0, 6).map(rig::pfn).toArray();

        inflateAndExpect(rings);

        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 6L), rig.anomalies());
        assertEquals(0, rig.device.ledgerPages());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void eachPartOfEachRingIsProtectedByItself(int page) {
        inflateAndExpect(new int[] {rig.pfn(page)});

        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 1L), rig.anomalies());
    }

    @Test
    void aRangeAroundTheRingsIsTakenWithoutThem() {
        int[] all = IntStream.range(rig.pfn(0) - 3, rig.pfn(10)).toArray();

        inflateAndExpect(all, IntStream.range(6, 10).map(rig::pfn).toArray());

        assertEquals(
                Map.of(
                        BalloonCounter.PAGES_OUTSIDE_RAM, 3L,
                        BalloonCounter.PAGES_OF_LIVE_RING, 6L),
                rig.anomalies());
    }

    @Test
    void aRequestMayNameThePageThatItLiesIn() {
        int own = rig.pfn(BalloonRig.REQUEST_PAGE);

        inflateAndExpect(new int[] {own, rig.data(2)}, own, rig.data(2));

        assertEquals(Map.of(), rig.anomalies());
        assertEquals(2, rig.device.ledgerPages());
    }

    @Test
    void everythingAtOnceIsCountedOnceEach() {
        rig.inflate(rig.data(0));

        inflateAndExpect(
                new int[] {rig.data(0), -1, -2, rig.pfn(3), rig.data(7), rig.data(8), rig.data(7)},
                rig.data(0),
                rig.data(7),
                rig.data(8));

        assertEquals(
                Map.of(
                        BalloonCounter.INFLATE_REQUESTS, 2L,
                        BalloonCounter.PAGES_INFLATED, 3L,
                        BalloonCounter.PAGES_INFLATED_TWICE, 2L,
                        BalloonCounter.PAGES_OUTSIDE_RAM, 2L,
                        BalloonCounter.PAGES_OF_LIVE_RING, 1L,
                        BalloonCounter.BYTES_ASKED, 4 * 4096L,
                        BalloonCounter.BYTES_ACCEPTED, 4 * 4096L),
                rig.counters());
        assertEquals(5, rig.device.counters().anomalies());
    }
}
