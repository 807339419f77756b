package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.HINT;
import static io.aerostat.guest.balloon.ScriptedBalloon.REPORTING;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Driver and device that number their queues alike, and that don't. */
final class BalloonQueueNumberingTest {

    static Stream<Arguments> everyNumberingWithEverySetOfOptionalQueues() {
        return Arrays.stream(QueueNumbering.values())
                .flatMap(
                        numbering ->
                                IntStream.range(0, 64)
                                        .mapToObj(set -> Arguments.of(numbering, set)));
    }

    /** Offered are all queues; the driver takes some. */
    private static BalloonRig rig(QueueNumbering driver, QueueNumbering device, long taken) {
        BalloonRig rig =
                new BalloonRig(
                        BalloonRig.OPTIONS.withNumbering(driver).withFeatures(taken),
                        ScriptedBalloon.OFFER | BalloonRig.EVERY_FEATURE,
                        16);
        rig.device.numbering = device;
        return rig;
    }

    @ParameterizedTest
    @MethodSource("everyNumberingWithEverySetOfOptionalQueues")
    @DisplayName("BALLOON-DESC-02: every queue works where both count alike")
    void worksWhereBothCountAlike(QueueNumbering numbering, long taken) {
        BalloonRig rig = rig(numbering, numbering, taken).started();

        rig.inflatedTo(300);
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.settle();
        rig.device.hintCommand(2);
        rig.settle();

        boolean hints = (taken & BalloonFeature.FREE_PAGE_HINT) != 0;
        boolean reports = (taken & BalloonFeature.PAGE_REPORTING) != 0;
        boolean tells = (taken & BalloonFeature.STATS_VQ) != 0;
        assertEquals(hints, !rig.device.log(HINT).isEmpty());
        assertEquals(reports, !rig.device.log(REPORTING).isEmpty());
        assertEquals(tells, rig.device.statistics() != null);
        assertEquals(0, rig.driver.restarts());
    }

    @ParameterizedTest
    @EnumSource
    void countsAlikeUnderAnyTwoNumberingsIfEverythingIsTaken(QueueNumbering driver) {
        long taken = BalloonRig.EVERY_FEATURE;
        for (QueueNumbering device : QueueNumbering.values()) {
            BalloonRig rig = rig(driver, device, taken);

            assertNull(rig.driver.start());
        }
    }

    /**
     * Only reporting is taken of what is offered. NEGOTIATED counts it as queue 2, the others as 4.
     * A device that doesn't have the driver's number makes the start fail.
     */
    @ParameterizedTest
    @CsvSource({
        "NEGOTIATED, SPECIFIED",
        "NEGOTIATED, OFFERED",
        "SPECIFIED, NEGOTIATED",
        "OFFERED, NEGOTIATED"
    })
    void failsToStartWhereTheNumbersDiffer(QueueNumbering driver, QueueNumbering device) {
        BalloonRig rig = rig(driver, device, BalloonFeature.PAGE_REPORTING);

        HandshakeFailure failure = rig.driver.start();

        assertEquals(HandshakeFailure.QUEUE_MISSING, failure);
    }

    /** The same with all queues but hinting: SPECIFIED and OFFERED agree as all are offered. */
    @ParameterizedTest
    @CsvSource({"SPECIFIED, OFFERED", "OFFERED, SPECIFIED"})
    void agreesUnderTheOtherTwoIfAllIsOffered(QueueNumbering driver, QueueNumbering device) {
        long taken = BalloonRig.EVERY_FEATURE & ~BalloonFeature.FREE_PAGE_HINT;
        BalloonRig rig = rig(driver, device, taken).started();

        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.settle();

        assertEquals(List.of(), rig.device.log(HINT));
        assertFalse(rig.device.log(REPORTING).isEmpty());
    }
}
