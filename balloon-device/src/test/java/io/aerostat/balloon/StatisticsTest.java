package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.SECOND_NS;
import static io.aerostat.balloon.BalloonRig.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Who holds the buffer, and when it goes back on request. */
@DisplayName("BALLOON-DESC-06, -07, -12, BALLOON-DRV-16 to -18: the statistics' one buffer")
final class StatisticsTest {
    private final BalloonRig rig = new BalloonRig();

    /** Exposes a buffer with one figure. */
    private void expose(long free) {
        long gpa = rig.write(0, 0, 0);
        rig.ram.putLe16(gpa, 4);
        rig.ram.putLe64(gpa + 2, free);
        rig.offer(STATS, gpa, 10, false);
    }

    /** Exposes a buffer, and the device takes it. */
    private void answer(long free) {
        expose(free);
        rig.kick(STATS);
        rig.settle();
    }

    private BalloonRig startWithFirstBuffer() {
        rig.start(ALL_FEATURES);
        answer(100);
        return rig;
    }

    private OptionalLong free() {
        return rig.device.statistics().latest().orElseThrow().value(StatTag.MEMFREE);
    }

    @Test
    void holdsTheFirstBufferThatComesUnasked() {
        startWithFirstBuffer();

        assertEquals(OptionalLong.of(100), free());
        assertEquals(0, rig.reap(STATS));
        assertEquals(0, rig.takeInterrupts());
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void nothingIsKnownBeforeTheFirstBuffer() {
        rig.start(ALL_FEATURES);

        assertEquals(Optional.empty(), rig.device.statistics().latest());
    }

    @Test
    @DisplayName("a driver may kick its first buffer before DRIVER_OK, as Linux does")
    void aKickBeforeDriverOkIsNotLost() {
        rig.prepare(ALL_FEATURES);
        expose(100);
        rig.kick(STATS);
        rig.settle();
        assertEquals(Optional.empty(), rig.device.statistics().latest());

        rig.finish();
        rig.settle();

        assertEquals(OptionalLong.of(100), free());
        assertEquals(0, rig.reap(STATS));
    }

    @Test
    void aBufferWithoutAnyKickIsSeenAtDriverOk() {
        rig.prepare(ALL_FEATURES);
        expose(100);

        rig.finish();
        rig.settle();

        assertEquals(OptionalLong.of(100), free());
    }

    @Test
    void aRequestReturnsTheHeldBufferAndKeepsTheOldFigures() {
        startWithFirstBuffer();

        rig.device.statistics().request();
        rig.settle();

        assertEquals(1, rig.reap(STATS));
        assertEquals(1, rig.takeInterrupts());
        assertEquals(OptionalLong.of(100), free());
    }

    @Test
    void theAnswerIsHeldForTheNextRequest() {
        startWithFirstBuffer();
        for (int round = 1; round <= 300; round++) {
            rig.device.statistics().request();
            rig.settle();
            assertEquals(1, rig.reap(STATS), "round " + round);

            answer(round);

            assertEquals(OptionalLong.of(round), free());
            assertEquals(0, rig.reap(STATS), "round " + round);
        }
        assertEquals(301, rig.counter(BalloonCounter.STATISTICS));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void aRequestBeforeTheFirstBufferGetsItsFigures() {
        rig.start(ALL_FEATURES);
        rig.device.statistics().request();
        rig.settle();

        answer(100);

        assertEquals(OptionalLong.of(100), free());
        assertEquals(0, rig.reap(STATS));
    }

    @Test
    void aRequestWhileTheGuestAnswersGetsThatAnswer() {
        startWithFirstBuffer();
        rig.device.statistics().request();
        rig.settle();
        rig.device.statistics().request();
        rig.settle();
        assertEquals(1, rig.reap(STATS));

        answer(7);

        assertEquals(OptionalLong.of(7), free());
        assertEquals(0, rig.reap(STATS));
    }

    @Test
    void requestsOfOnePassAreOne() {
        startWithFirstBuffer();
        rig.device.statistics().request();
        rig.device.statistics().request();
        rig.settle();

        assertEquals(1, rig.reap(STATS));
        answer(7);
        assertEquals(0, rig.reap(STATS));
    }

    @Test
    void aSecondBufferTakesThePlaceOfTheHeldOne() {
        startWithFirstBuffer();

        answer(200);

        assertEquals(1, rig.reap(STATS), "the first one is returned");
        assertEquals(OptionalLong.of(200), free());
        assertEquals(Map.of(BalloonCounter.SURPLUS_STATISTICS, 1L), rig.anomalies());
        rig.device.statistics().request();
        rig.settle();
        assertEquals(1, rig.reap(STATS));
    }

    @Test
    void aRingFullOfBuffersLeavesOneHeld() {
        rig.start(ALL_FEATURES);
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            expose(i);
        }

        rig.kick(STATS);
        rig.settle();

        assertEquals(BalloonRig.QUEUE_SIZE - 1, rig.reap(STATS));
        assertEquals(OptionalLong.of(BalloonRig.QUEUE_SIZE - 1), free());
        assertFalse(rig.needsReset());
    }

    @Test
    void aPassOverManyBuffersIsBounded() {
        rig.start(ALL_FEATURES);
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            expose(i);
        }
        rig.kick(STATS);

        assertTrue(rig.poll() > 0);

        assertTrue(rig.reap(STATS) < 20);
    }

    @Test
    void aResetDropsTheHeldBufferAndTheFigures() {
        startWithFirstBuffer();

        rig.transport.reset();
        assertEquals(Optional.empty(), rig.device.statistics().latest());
        rig.device.statistics().request();
        rig.settle();

        assertEquals(0, rig.rings[STATS].usedIdx());
        rig.start(ALL_FEATURES);
        assertEquals(0, rig.rings[STATS].usedIdx(), "nothing of the old life is returned");
        answer(5);
        assertEquals(OptionalLong.of(5), free());
        assertEquals(0, rig.reap(STATS));
        rig.device.statistics().request();
        rig.settle();
        assertEquals(1, rig.reap(STATS));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void aRequestIsForgottenWithTheDriverThatItWasFor() {
        startWithFirstBuffer();
        rig.device.statistics().request();
        rig.settle();
        rig.device.statistics().request();
        rig.settle();

        rig.start(ALL_FEATURES);
        answer(1);
        answer(2);

        assertEquals(1, rig.reap(STATS), "the surplus one alone");
    }

    @Test
    void aStoppedQueueDropsItsBufferAndStartsAfresh() {
        startWithFirstBuffer();
        rig.stop(STATS);
        rig.device.statistics().request();
        rig.settle();
        assertEquals(0, rig.rings[STATS].usedIdx());

        rig.enable(STATS);
        answer(9);

        assertEquals(OptionalLong.of(9), free());
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void withoutTheFeatureARequestDoesNothing() {
        rig.start(ALL_FEATURES & ~BalloonFeature.STATS_VQ);
        rig.device.statistics().period(1);
        rig.device.statistics().request();

        rig.pass(SECOND_NS);

        assertEquals(Optional.empty(), rig.device.statistics().latest());
        rig.inflate(rig.data(1));
    }

    @Test
    void aFaultElsewhereLeavesTheHeldBufferUnreturned() {
        startWithFirstBuffer();
        rig.rings[INFLATE].offer(0xFFFF);
        rig.kick(INFLATE);
        rig.settle();

        rig.device.statistics().request();
        rig.settle();

        rig.assertFault(QueueFault.HEAD_OUT_OF_RANGE);
        assertEquals(0, rig.rings[STATS].usedIdx());
        assertEquals(OptionalLong.of(100), free());
    }
}
