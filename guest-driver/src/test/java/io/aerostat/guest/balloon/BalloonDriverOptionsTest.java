package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriverOptions.Delays;
import io.aerostat.guest.balloon.BalloonDriverOptions.FreePages;
import io.aerostat.guest.balloon.BalloonDriverOptions.Requests;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.OptionalInt;

/** What a driver may be told. */
final class BalloonDriverOptionsTest {

    private static void assertRefused(Executable creation, String said) {
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, creation);
        assertTrue(refusal.getMessage().endsWith(said), refusal::getMessage);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "32768, 1024, 1024", "128, 1, 256"})
    void takesTheWholeRangeOfRequests(int queueSize, int inFlight, int pages) {
        assertDoesNotThrow(() -> new Requests(queueSize, inFlight, pages));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 1, queueSize=0",
        "3, 1, 1, queueSize=3",
        "65536, 1, 1, queueSize=65536",
        "-1, 1, 1, queueSize=-1",
        "1, 0, 1, inFlight=0",
        "1, 1025, 1, inFlight=1025",
        "1, 1, 0, pagesPerRequest=0",
        "1, 1, 1025, pagesPerRequest=1025"
    })
    void refusesRequestsOutOfRangeAndSaysWhich(
            int queueSize, int inFlight, int pages, String said) {
        assertRefused(() -> new Requests(queueSize, inFlight, pages), said);
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0, 0, reportingOrder=-1",
        "31, 0, 0, reportingOrder=31",
        "0, -1, 0, hintingOrder=-1",
        "0, 31, 0, hintingOrder=31",
        "0, 0, -1, reservePages=-1"
    })
    void refusesOrdersAndReservesOutOfRange(
            int reportingOrder, int hintingOrder, long reservePages, String said) {
        assertRefused(
                () ->
                        new FreePages(
                                OptionalInt.empty(), reportingOrder, hintingOrder, reservePages),
                said);
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0, 0, 0, 0, retryNs=-1",
        "0, -1, 0, 0, 0, reportingNs=-1",
        "0, 0, -1, 0, 0, pressureNs=-1",
        "0, 0, 0, -1, 0, removalNs=-1",
        "0, 0, 0, 0, -1, watchNs=-1"
    })
    void refusesNegativeDelays(
            long retry, long reporting, long pressure, long removal, long watch, String said) {
        assertRefused(() -> new Delays(retry, reporting, pressure, removal, watch), said);
    }

    @Test
    void refusesFeaturesThatAreNotTheBalloons() {
        assertRefused(() -> BalloonDriverOptions.DEFAULT.withFeatures(1L << 32), "0x100000000");
    }

    @Test
    void changesOneOptionAtATime() {
        Requests requests = new Requests(64, 5, 99);
        FreePages freePages = new FreePages(OptionalInt.of(7), 6, 8, 9);
        Delays delays = new Delays(1, 2, 3, 4, 5);

        BalloonDriverOptions changed =
                BalloonDriverOptions.DEFAULT
                        .withNumbering(QueueNumbering.OFFERED)
                        .withFeatures(BalloonFeature.STATS_VQ)
                        .withRequests(requests)
                        .withFreePages(freePages)
                        .withDelays(delays);

        assertEquals(
                new BalloonDriverOptions(
                        QueueNumbering.OFFERED,
                        BalloonFeature.STATS_VQ,
                        requests,
                        freePages,
                        delays),
                changed);
        assertEquals(new Delays(9, 2, 3, 4, 5), delays.withRetryNs(9));
    }

    @Test
    void asksForRequestsOf256PagesUnlessToldOtherwise() {
        BalloonDriverOptions standard = BalloonDriverOptions.DEFAULT;

        assertEquals(QueueNumbering.NEGOTIATED, standard.numbering());
        assertEquals(new Requests(128, 16, 256), standard.requests());
        assertEquals(200_000_000L, standard.delays().retryNs());
        assertEquals(2_000_000_000L, standard.delays().reportingNs());
        assertEquals(9, standard.freePages().reportingOrder());
    }

    @Test
    void takesNeitherOomDeflationNorPoisonUnlessToldTo() {
        long standard = BalloonDriverOptions.DEFAULT.features();

        assertEquals(0b101011, standard);
    }

    @Test
    void takesPagePoisonForAGuestThatFillsItsPages() {
        BalloonDriverOptions filling = BalloonDriverOptions.DEFAULT.withPageFill(0xAAAA_AAAA);

        assertEquals(OptionalInt.of(0xAAAA_AAAA), filling.freePages().fill());
        assertEquals(0b111011, filling.features());
    }

    @ParameterizedTest
    @CsvSource({
        // features on offer, guest fills, allocator keeps marks, taken
        "0b111111, false, true, 0b101111",
        "0b111111, true, true, 0b111111",
        "0b101111, true, true, 0b001111",
        "0b101111, false, true, 0b101111",
        "0b111111, false, false, 0b001111",
        "0b000000, true, true, 0b000000"
    })
    void takesPoisonAndReportingOnlyWhereTheyAreSafe(
            String offered, boolean fills, boolean canReport, String taken) {
        BalloonDriverOptions all = BalloonDriverOptions.DEFAULT.withFeatures(0b111111);
        BalloonDriverOptions options = fills ? all.withPageFill(1) : all;

        long features = options.featuresOf(bits(offered), canReport);

        assertEquals(bits(taken), features);
    }

    private static long bits(String text) {
        return Long.parseLong(text.substring(2), 2);
    }
}
