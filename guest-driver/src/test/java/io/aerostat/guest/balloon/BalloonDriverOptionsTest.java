package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a driver may be told. */
final class BalloonDriverOptionsTest {

    private static BalloonDriverOptions of(int queueSize, int inFlight, int pages, long delayNs) {
        return new BalloonDriverOptions(
                QueueNumbering.SPECIFIED, queueSize, inFlight, pages, delayNs);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 0", "32768, 1024, 1024, 9223372036854775807", "128, 1, 256, 200000000"})
    void takesTheWholeRange(int queueSize, int inFlight, int pages, long delayNs) {
        assertDoesNotThrow(() -> of(queueSize, inFlight, pages, delayNs));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 1, 0, queueSize=0",
        "3, 1, 1, 0, queueSize=3",
        "65536, 1, 1, 0, queueSize=65536",
        "-1, 1, 1, 0, queueSize=-1",
        "1, 0, 1, 0, requestsInFlight=0",
        "1, 1025, 1, 0, requestsInFlight=1025",
        "1, 1, 0, 0, pagesPerRequest=0",
        "1, 1, 1025, 0, pagesPerRequest=1025",
        "1, 1, 1, -1, retryDelayNs=-1"
    })
    void refusesWhatIsOutOfRangeAndSaysWhat(
            int queueSize, int inFlight, int pages, long delayNs, String said) {
        IllegalArgumentException refusal =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> of(queueSize, inFlight, pages, delayNs));

        assertTrue(refusal.getMessage().endsWith(said), refusal::getMessage);
    }

    @Test
    void changesOneOptionAtATime() {
        BalloonDriverOptions start = of(64, 2, 99, 7);

        BalloonDriverOptions changed =
                start.withNumbering(QueueNumbering.OFFERED)
                        .withRequestsInFlight(5)
                        .withRetryDelayNs(8);

        assertEquals(new BalloonDriverOptions(QueueNumbering.OFFERED, 64, 5, 99, 8), changed);
    }

    @Test
    void asksForRequestsOf256PagesUnlessToldOtherwise() {
        BalloonDriverOptions standard = BalloonDriverOptions.DEFAULT;

        BalloonDriverOptions expected =
                new BalloonDriverOptions(QueueNumbering.NEGOTIATED, 128, 16, 256, 200_000_000L);

        assertEquals(expected, standard);
    }
}
