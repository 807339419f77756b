package io.aerostat.virtio.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;

/** Queue numbers, as a table by hand and for every pair of offered and negotiated features. */
final class QueueNumberingTest {
    private static final int STATS = 2;
    private static final int HINT = 8;
    private static final int REPORTING = 32;

    @ParameterizedTest
    @DisplayName("numbers of stats, hint and reporting queue, -1 for absent (5.5.2)")
    @CsvSource({
        // numbering, offered, negotiated, stats, hint, reporting
        "SPECIFIED, 42, 42, 2, 3, 4",
        "SPECIFIED, 42, 34, 2, -1, 4",
        "SPECIFIED, 42, 32, -1, -1, 4",
        "SPECIFIED, 42, 8, -1, 3, -1",
        "SPECIFIED, 42, 0, -1, -1, -1",
        "NEGOTIATED, 42, 42, 2, 3, 4",
        "NEGOTIATED, 42, 34, 2, -1, 3",
        "NEGOTIATED, 42, 40, -1, 2, 3",
        "NEGOTIATED, 42, 32, -1, -1, 2",
        "NEGOTIATED, 42, 8, -1, 2, -1",
        "OFFERED, 42, 42, 2, 3, 4",
        "OFFERED, 42, 32, -1, -1, 4",
        "OFFERED, 34, 34, 2, -1, 3",
        "OFFERED, 34, 32, -1, -1, 3",
        "OFFERED, 40, 32, -1, -1, 3",
        "OFFERED, 32, 32, -1, -1, 2"
    })
    void numbersQueues(
            QueueNumbering numbering, long offered, long negotiated, int stats, int hint, int rep) {
        assertEquals(stats, numbering.indexOf(BalloonQueue.STATS, offered, negotiated));
        assertEquals(hint, numbering.indexOf(BalloonQueue.FREE_PAGE_HINT, offered, negotiated));
        assertEquals(rep, numbering.indexOf(BalloonQueue.REPORTING, offered, negotiated));
    }

    @Test
    void inflateAndDeflateAreAlwaysZeroAndOne() {
        for (QueueNumbering numbering : QueueNumbering.values()) {
            for (long features = 0; features < 64; features++) {
                assertEquals(0, numbering.indexOf(BalloonQueue.INFLATE, features, features));
                assertEquals(1, numbering.indexOf(BalloonQueue.DEFLATE, features, features));
            }
        }
    }

    @Test
    void everyNumberingAgreesWithAListOfQueuesUnderEveryFeatureSet() {
        for (int offered = 0; offered < 64; offered++) {
            for (int negotiated = 0; negotiated < 64; negotiated++) {
                if ((negotiated & ~offered) == 0) {
                    assertAgreesWithLists(offered, negotiated);
                }
            }
        }
    }

    private static void assertAgreesWithLists(int offered, int negotiated) {
        List<BalloonQueue> present = queuesWith(negotiated);
        List<BalloonQueue> created = queuesWith(offered);
        List<BalloonQueue> all = queuesWith(STATS | HINT | REPORTING);
        for (BalloonQueue queue : BalloonQueue.values()) {
            boolean exists = present.contains(queue);
            String where = queue + ", offered=" + offered + ", negotiated=" + negotiated;

            assertEquals(
                    exists ? created.indexOf(queue) : -1,
                    QueueNumbering.OFFERED.indexOf(queue, offered, negotiated),
                    where);
            assertEquals(
                    exists ? present.indexOf(queue) : -1,
                    QueueNumbering.NEGOTIATED.indexOf(queue, offered, negotiated),
                    where);
            assertEquals(
                    exists ? all.indexOf(queue) : -1,
                    QueueNumbering.SPECIFIED.indexOf(queue, offered, negotiated),
                    where);
        }
    }

    private static List<BalloonQueue> queuesWith(int features) {
        List<BalloonQueue> queues = new ArrayList<>();
        queues.add(BalloonQueue.INFLATE);
        queues.add(BalloonQueue.DEFLATE);
        if ((features & STATS) != 0) {
            queues.add(BalloonQueue.STATS);
        }
        if ((features & HINT) != 0) {
            queues.add(BalloonQueue.FREE_PAGE_HINT);
        }
        if ((features & REPORTING) != 0) {
            queues.add(BalloonQueue.REPORTING);
        }
        return queues;
    }
}
