package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.HINT;
import static io.aerostat.guest.balloon.ScriptedBalloon.REPORTING;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A driver that only steps when it is interrupted gets on with statistics, reports and hints. */
final class BalloonOptionalInterruptsTest {
    private static final long USED_BUFFER = 1;

    private static BalloonRig rig(long transport, long feature) {
        return new BalloonRig(BalloonRig.OPTIONS, Feature.VERSION_1 | transport | feature, 16);
    }

    private static boolean isInterrupted(BalloonRig rig) {
        return (rig.mmio.load(MmioRegister.INTERRUPT_STATUS.offset(), 4) & USED_BUFFER) != 0;
    }

    /** Until there is nothing to do without an interrupt. */
    private static void run(BalloonRig rig) {
        while (rig.step() != 0) {
            // It says when nothing is left.
        }
        assertFalse(isInterrupted(rig));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Feature.EVENT_IDX})
    void isInterruptedForEachReturnedStatisticsBuffer(long transport) {
        BalloonRig rig = rig(transport, BalloonFeature.STATS_VQ).started();

        for (int round = 0; round < 5; round++) {
            run(rig);
            rig.device.returnStatistics();
            assertTrue(isInterrupted(rig), "round=" + round);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Feature.EVENT_IDX})
    void isInterruptedForEachConfirmedReport(long transport) {
        BalloonRig rig = rig(transport, BalloonFeature.PAGE_REPORTING);
        rig.device.queueSizeMax = 2;
        rig.started().step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        run(rig);

        int reports = 0;
        while (!rig.device.waiting(REPORTING).isEmpty()) {
            rig.device.confirmAll();
            assertTrue(isInterrupted(rig), "reports=" + reports);
            run(rig);
            reports++;
        }

        assertTrue(reports > 2, "reports=" + reports);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Feature.EVENT_IDX})
    void isInterruptedForHintsWhileTheQueueIsFull(long transport) {
        BalloonRig rig = rig(transport, BalloonFeature.FREE_PAGE_HINT);
        rig.device.queueSizeMax = 4;
        rig.started();
        rig.device.hintCommand(2);
        run(rig);

        int rounds = 0;
        while (rig.device.waiting(HINT).size() == 4) {
            rig.device.confirmAll();
            assertTrue(isInterrupted(rig), "rounds=" + rounds);
            run(rig);
            rounds++;
        }

        assertTrue(rounds > 3, "rounds=" + rounds);
        assertTrue(rig.driver.hintedPages() > 1200, "hinted=" + rig.driver.hintedPages());
    }
}
