package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.List;

/** Where the device has its queues, for each offer and each answer of a driver. */
@DisplayName("BALLOON-DESC-02, -03: the numbers of the queues")
final class BalloonNumberingTest {
    /** The features of the statistics, hinting and reporting queues: bits 1, 3 and 5. */
    private static final int[] QUEUE_BITS = {1, 3, 5};

    private static final int QUEUES = 5;
    private static final int SIZE = 128;

    private static long features(int subset) {
        long features = 0;
        for (int i = 0; i < QUEUE_BITS.length; i++) {
            features |= (subset >>> i & 1L) << QUEUE_BITS[i];
        }
        return features;
    }

    /**
     * Which queue stands at each index; -1 for none. By the standard, and by what Linux, QEMU do.
     */
    private static int[] expected(QueueNumbering numbering, int offered, int accepted) {
        List<Integer> at = new ArrayList<>(List.of(0, 1));
        for (int i = 0; i < QUEUE_BITS.length; i++) {
            boolean isThere = (accepted >>> i & 1) != 0;
            boolean takesANumber =
                    switch (numbering) {
                        case NEGOTIATED -> isThere;
                        case OFFERED -> (offered >>> i & 1) != 0;
                        case SPECIFIED -> true;
                    };
            if (takesANumber) {
                at.add(isThere ? 2 + i : -1);
            }
        }
        while (at.size() < QUEUES) {
            at.add(-1);
        }
        return at.stream().mapToInt(Integer::intValue).toArray();
    }

    @ParameterizedTest
    @EnumSource(QueueNumbering.class)
    void onlyTheQueuesOfTheFeaturesExistAndEachAtItsIndex(QueueNumbering numbering) {
        for (int offered = 0; offered < 8; offered++) {
            for (int accepted = 0; accepted < 8; accepted++) {
                int taken = offered & accepted;
                BalloonRig rig = rig(numbering, offered);
                DriverHandshake handshake = new DriverHandshake(rig.transport);
                assertNull(handshake.negotiate(5, Feature.VERSION_1 | features(accepted), 0));
                int[] expected = expected(numbering, offered, taken);
                for (int index = 0; index < 70; index++) {
                    boolean exists = index < QUEUES && expected[index] >= 0;
                    String where =
                            numbering + " index " + index + " of " + offered + ", " + accepted;
                    assertEquals(exists ? SIZE : 0, rig.transport.queueSizeMax(index), where);
                }
            }
        }
    }

    private static BalloonRig rig(QueueNumbering numbering, int offered) {
        BalloonOptions options =
                BalloonOptions.DEFAULT.withFeatures(features(offered)).withNumbering(numbering);
        return new BalloonRig(options);
    }

    /** What each queue does tells which it is. */
    @ParameterizedTest
    @EnumSource(QueueNumbering.class)
    void eachIndexDoesWhatItsQueueDoes(QueueNumbering numbering) {
        for (int offered = 0; offered < 8; offered++) {
            for (int accepted = 0; accepted < 8; accepted++) {
                int taken = offered & accepted;
                BalloonRig rig = rig(numbering, offered);
                rig.start(Feature.VERSION_1 | features(accepted));
                int[] expected = expected(numbering, offered, taken);
                String where = numbering + " of " + offered + ", " + accepted;
                for (int index = 0; index < QUEUES; index++) {
                    int queue = expected[index];
                    if (queue >= 0) {
                        assertEquals(index, rig.index(queue), where);
                        assertEquals(1, workOf(rig, queue), where + ", queue " + queue);
                    }
                }
                assertEquals(0, rig.device.counters().anomalies(), where);
            }
        }
    }

    /** Gives a queue what only it understands; returns how often that was counted. */
    private static long workOf(BalloonRig rig, int queue) {
        switch (queue) {
            case BalloonRig.INFLATE, BalloonRig.DEFLATE -> rig.offer(queue, rig.data(0));
            case BalloonRig.STATS -> rig.offer(queue, rig.write(0, 0, 0), 10, false);
            case BalloonRig.HINTS -> {
                rig.device.hinting().start();
                rig.settle();
                rig.offer(queue, rig.write(rig.transport.readConfig(8)), 4, false);
            }
            default -> rig.offer(queue, rig.gpa(BalloonRig.DATA_PAGE + 1), 4096, true);
        }
        rig.kick(queue);
        rig.settle();
        assertEquals(queue == BalloonRig.STATS ? 0 : 1, rig.reap(queue), "returned");
        return rig.counter(
                switch (queue) {
                    case BalloonRig.INFLATE -> BalloonCounter.PAGES_INFLATED;
                    case BalloonRig.DEFLATE -> BalloonCounter.PAGES_DEFLATED;
                    case BalloonRig.STATS -> BalloonCounter.STATISTICS;
                    case BalloonRig.HINTS -> BalloonCounter.HINT_ROUNDS;
                    default -> BalloonCounter.REPORTS;
                });
    }

    @Test
    void theNumbersOfALaterDriverAreItsOwn() {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT);
        rig.start(BalloonRig.ALL_FEATURES);
        assertEquals(4, rig.index(BalloonRig.REPORTS));

        rig.start(Feature.VERSION_1 | features(0b100));
        assertEquals(2, rig.index(BalloonRig.REPORTS));
        rig.offer(BalloonRig.REPORTS, rig.gpa(BalloonRig.DATA_PAGE), 4096, true);
        rig.kick(BalloonRig.REPORTS);
        rig.settle();

        assertEquals(1, rig.reap(BalloonRig.REPORTS));
        assertEquals(1, rig.counter(BalloonCounter.REPORTS));
    }
}
