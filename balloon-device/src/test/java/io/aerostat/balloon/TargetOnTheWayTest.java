package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.SECOND_NS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/** The target as the guest reads it: at a rate, and with regard for a guest in need. */
@DisplayName("BALLOON-DESC-08, BALLOON-DRV-07, -08: num_pages on its way, and deflate on OOM")
final class TargetOnTheWayTest {
    private static final int CONFIG_CHANGE = 2;
    private static final long STEP_NS = 10_000_000;
    private static final long HOLD_NS = 10 * SECOND_NS;

    private static BalloonRig rig(long pagesPerSecond) {
        BalloonOptions options =
                BalloonOptions.DEFAULT
                        .withFeatures(BalloonOptions.ALL_FEATURES)
                        .withPagesPerSecond(pagesPerSecond)
                        .withOomHoldNs(HOLD_NS);
        return new BalloonRig(options);
    }

    private static int numPages(BalloonRig rig) {
        assertEquals(rig.transport.readConfig(0), rig.device.targetPages());
        return rig.transport.readConfig(0);
    }

    private static BalloonRig full(long features) {
        BalloonRig rig = rig(0).start(features);
        rig.device.target(400);
        rig.settle();
        rig.inflate(rig.dataRun(0, 400));
        rig.actual(400);
        rig.pass(2 * SECOND_NS);
        rig.takeInterrupts();
        return rig;
    }

    @Test
    void theGuestSeesTheTargetRise() {
        BalloonRig rig = rig(100).start(ALL_FEATURES);
        rig.device.target(250);
        rig.settle();
        assertEquals(0, numPages(rig));

        rig.pass(SECOND_NS);
        assertEquals(100, numPages(rig));
        rig.pass(SECOND_NS);
        assertEquals(200, numPages(rig));
        rig.pass(10 * SECOND_NS);
        assertEquals(250, numPages(rig));
    }

    @Test
    void aRisingTargetInterruptsTheGuestAtMostEachTenMilliseconds() {
        BalloonRig rig = rig(500).start(ALL_FEATURES);
        rig.device.target(500);
        rig.settle();
        rig.takeCauses();
        int interrupts = 0;
        long lastNs = Long.MIN_VALUE;
        for (int i = 0; i < 2000; i++) {
            rig.pass(STEP_NS / 20);
            if ((rig.takeCauses() & CONFIG_CHANGE) != 0) {
                assertTrue(interrupts == 0 || rig.nowNs - lastNs >= STEP_NS);
                interrupts++;
                lastNs = rig.nowNs;
            }
        }

        assertEquals(100, interrupts);
        assertEquals(500, numPages(rig));
    }

    @Test
    void aTargetThatStandsStillInterruptsNobody() {
        BalloonRig rig = rig(500).start(ALL_FEATURES);
        rig.device.target(10);
        rig.pass(0);
        rig.pass(SECOND_NS);
        rig.takeCauses();

        for (int i = 0; i < 100; i++) {
            rig.pass(SECOND_NS);
        }

        assertEquals(0, rig.takeCauses());
    }

    @Test
    void theSameTargetAgainIsToldAgain() {
        BalloonRig rig = rig(0).start(ALL_FEATURES);
        rig.device.target(10);
        rig.settle();
        rig.takeCauses();

        rig.device.target(10);
        rig.settle();

        assertEquals(CONFIG_CHANGE, rig.takeCauses());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 1000, 1_000_000, Long.MAX_VALUE})
    void anyRateArrives(long pagesPerSecond) {
        BalloonRig rig = rig(pagesPerSecond).start(ALL_FEATURES);
        rig.device.target(512);
        rig.settle();
        for (int i = 0; i < 60; i++) {
            rig.pass(10 * SECOND_NS);
            assertTrue(numPages(rig) >= 0 && numPages(rig) <= 512);
        }

        assertEquals(512, numPages(rig));
    }

    @Test
    void anOwnerThatSleptDoesNotSkipTheRate() {
        BalloonRig rig = rig(100).start(ALL_FEATURES);
        rig.nowNs += 3600 * SECOND_NS;
        rig.device.target(500);

        rig.settle();

        assertEquals(0, numPages(rig));
    }

    @Test
    void aGuestInNeedIsShownWhatItKeeps() {
        BalloonRig rig = full(ALL_FEATURES);

        rig.deflate(rig.dataRun(0, 256));
        rig.pass(1);

        assertEquals(144, numPages(rig));
        assertTrue((rig.takeCauses() & CONFIG_CHANGE) != 0);
        assertEquals(256, rig.counter(BalloonCounter.PAGES_TAKEN_BACK));
        // It was seen a nanosecond ago.
        rig.pass(HOLD_NS - 2);
        assertEquals(144, numPages(rig));
        rig.pass(1);
        assertEquals(400, numPages(rig));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void whatIsShownIsNeverAboveWhatTheGuestKeptWhileItIsLeftAlone() {
        BalloonRig rig = full(ALL_FEATURES);
        for (int i = 0; i < 8; i++) {
            rig.deflate(rig.dataRun(40 * i, 40));
            rig.pass(SECOND_NS);
            assertEquals(400 - 40 * (i + 1), numPages(rig));
        }
        assertEquals(320, rig.counter(BalloonCounter.PAGES_TAKEN_BACK));
    }

    @Test
    void aTakeBackOfManyPassesIsSeenWhateverTheWorkBudget() {
        BalloonOptions options =
                BalloonOptions.DEFAULT
                        .withFeatures(BalloonOptions.ALL_FEATURES)
                        .withOomHoldNs(HOLD_NS)
                        .withWorkBudget(8);
        BalloonRig rig = new BalloonRig(options).start(ALL_FEATURES);
        rig.device.target(400);
        rig.settle();
        rig.inflate(rig.dataRun(0, 400));
        rig.pass(2 * SECOND_NS);

        rig.deflate(rig.dataRun(0, 256));
        rig.pass(1);

        assertTrue(numPages(rig) < 400, "num_pages=" + numPages(rig));
        assertTrue(rig.counter(BalloonCounter.PAGES_TAKEN_BACK) > 256 - 32);
    }

    @Test
    void withoutTheFeatureAGuestInNeedIsCountedAndTheTargetStays() {
        BalloonRig rig = full(ALL_FEATURES & ~BalloonFeature.DEFLATE_ON_OOM);

        rig.deflate(rig.dataRun(0, 256));
        rig.pass(1);

        assertEquals(400, numPages(rig));
        assertEquals(256, rig.counter(BalloonCounter.PAGES_TAKEN_BACK));
    }

    @Test
    void aDeflateThatWasAskedForIsNoNeed() {
        BalloonRig rig = full(ALL_FEATURES);
        rig.device.target(100);
        rig.settle();

        rig.deflate(rig.dataRun(0, 300));
        rig.pass(SECOND_NS);

        assertEquals(100, numPages(rig));
        assertEquals(0, rig.counter(BalloonCounter.PAGES_TAKEN_BACK));
    }

    @Test
    void aResetIsNoNeedAndANewDriverIsAskedSlowlyAgain() {
        BalloonRig rig = rig(100).start(ALL_FEATURES);
        rig.device.target(300);
        rig.pass(0);
        rig.pass(3 * SECOND_NS);
        rig.inflate(rig.dataRun(0, 300));
        assertEquals(300, numPages(rig));

        rig.nowNs += 60 * SECOND_NS;
        rig.start(ALL_FEATURES);

        assertEquals(0, numPages(rig));
        rig.pass(SECOND_NS);
        assertEquals(100, numPages(rig));
        assertEquals(0, rig.counter(BalloonCounter.PAGES_TAKEN_BACK));
    }
}
