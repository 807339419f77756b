package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/**
 * Each of the driver's ways to number queues with each of the device's: where they agree everything
 * works; where they do not, it is seen and nothing breaks.
 */
final class QueueNumberingMachineTest {
    private static final int REPORTING_ORDER = 5;

    private static ModelMachine machine(
            QueueNumbering device, QueueNumbering driver, long offered, long taken) {
        return new ModelMachine(
                BalloonOptions.DEFAULT.withNumbering(device).withFeatures(offered),
                BalloonDriverOptions.DEFAULT
                        .withNumbering(driver)
                        .withFeatures(taken)
                        .withFreePages(
                                new BalloonDriverOptions.FreePages(
                                        OptionalInt.empty(), REPORTING_ORDER, 5, 64)));
    }

    @ParameterizedTest
    @EnumSource(QueueNumbering.class)
    void whereBothCountAlikeAllFiveQueuesWork(QueueNumbering numbering) {
        long all = BalloonOptions.ALL_FEATURES;
        try (ModelMachine machine = machine(numbering, numbering, all, all).booted()) {
            assertEquals("inflate deflate stats hints reports", works(machine));
        }
    }

    /** With everything offered and taken but poison, the three ways are one. */
    @ParameterizedTest
    @CsvSource({
        "NEGOTIATED, OFFERED",
        "NEGOTIATED, SPECIFIED",
        "OFFERED, NEGOTIATED",
        "OFFERED, SPECIFIED",
        "SPECIFIED, NEGOTIATED",
        "SPECIFIED, OFFERED"
    })
    void withEveryFeatureTheWaysAreOne(QueueNumbering device, QueueNumbering driver) {
        long all = BalloonOptions.ALL_FEATURES;
        try (ModelMachine machine = machine(device, driver, all, all).booted()) {
            assertEquals("inflate deflate stats hints reports", works(machine));
        }
    }

    /**
     * The driver does without statistics, so the numbers of hints and reports depend on the way:
     *
     * <pre>
     *                 inflate  deflate  hints  reports
     *   NEGOTIATED       0        1       2       3
     *   OFFERED          0        1       3       4
     *   SPECIFIED        0        1       3       4
     * </pre>
     */
    @ParameterizedTest
    @CsvSource({
        "NEGOTIATED, NEGOTIATED, inflate deflate hints reports",
        "NEGOTIATED, OFFERED,    QUEUE_MISSING",
        "NEGOTIATED, SPECIFIED,  QUEUE_MISSING",
        "OFFERED,    NEGOTIATED, QUEUE_MISSING",
        "OFFERED,    OFFERED,    inflate deflate hints reports",
        "OFFERED,    SPECIFIED,  inflate deflate hints reports",
        "SPECIFIED,  NEGOTIATED, QUEUE_MISSING",
        "SPECIFIED,  OFFERED,    inflate deflate hints reports",
        "SPECIFIED,  SPECIFIED,  inflate deflate hints reports",
    })
    void aDriverWithoutStatistics(QueueNumbering device, QueueNumbering driver, String expected) {
        long all = BalloonOptions.ALL_FEATURES;
        assertOutcome(expected, machine(device, driver, all, all & ~BalloonFeature.STATS_VQ));
    }

    /**
     * The device does without statistics and hints, and the driver would take all:
     *
     * <pre>
     *                 inflate  deflate  reports
     *   NEGOTIATED       0        1        2
     *   OFFERED          0        1        2
     *   SPECIFIED        0        1        4
     * </pre>
     */
    @ParameterizedTest
    @CsvSource({
        "NEGOTIATED, NEGOTIATED, inflate deflate reports",
        "NEGOTIATED, OFFERED,    inflate deflate reports",
        "NEGOTIATED, SPECIFIED,  QUEUE_MISSING",
        "OFFERED,    NEGOTIATED, inflate deflate reports",
        "OFFERED,    OFFERED,    inflate deflate reports",
        "OFFERED,    SPECIFIED,  QUEUE_MISSING",
        "SPECIFIED,  NEGOTIATED, QUEUE_MISSING",
        "SPECIFIED,  OFFERED,    QUEUE_MISSING",
        "SPECIFIED,  SPECIFIED,  inflate deflate reports",
    })
    void aDeviceWithReportsAlone(QueueNumbering device, QueueNumbering driver, String expected) {
        long offered = BalloonFeature.MUST_TELL_HOST | BalloonFeature.PAGE_REPORTING;
        assertOutcome(expected, machine(device, driver, offered, BalloonOptions.ALL_FEATURES));
    }

    /** What works, or why the driver does not come up; contents are intact either way. */
    private static void assertOutcome(String expected, ModelMachine unbooted) {
        try (ModelMachine machine = unbooted) {
            AddressSpace space = machine.written(2000);
            @Nullable HandshakeFailure failure = machine.guest.startBalloon();
            if (failure != null) {
                assertEquals(expected, failure.name());
                CompletableFuture<SetMemoryOutcome> outcome = machine.ask(100);
                machine.runFor(61);
                assertEquals(
                        new SetMemoryOutcome.Stalled(SetMemoryOutcome.Reason.NO_DRIVER),
                        outcome.join());
                assertEquals(0, machine.balloon().ledgerPages());
                assertEquals(0, machine.balloon().counters().anomalies());
            } else {
                assertEquals(expected, works(machine));
            }
            machine.assertIntact(space);
        }
    }

    /** Uses each queue and tells which of them got through to the right handler. */
    private static String works(ModelMachine machine) {
        AddressSpace space = machine.written(3000);
        machine.written(3000).exit();
        StringBuilder works = new StringBuilder();
        machine.inflateTo(300);
        works.append(machine.count(BalloonCounter.PAGES_INFLATED) == 300 ? "inflate" : "");
        machine.inflateTo(0);
        works.append(machine.count(BalloonCounter.PAGES_DEFLATED) == 300 ? " deflate" : "");
        works.append(machine.count(BalloonCounter.STATISTICS) > 0 ? " stats" : "");
        machine.balloon().hinting().start();
        machine.settle();
        works.append(machine.count(BalloonCounter.PAGES_HINTED) > 0 ? " hints" : "");
        machine.balloon().hinting().done();
        machine.runFor(6);
        works.append(machine.count(BalloonCounter.REPORTS) > 0 ? " reports" : "");
        machine.assertInStep();
        machine.assertIntact(space);
        return works.toString();
    }
}
