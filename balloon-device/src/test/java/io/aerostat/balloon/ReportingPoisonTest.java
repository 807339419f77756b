package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.REPORTS;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.PageReclaimer.Content;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;
import java.util.Map;

/** With PAGE_POISON reported pages must go on holding the poison, whatever it is. */
@DisplayName("BALLOON-DEV-14, BALLOON-DRV-35, -36, -38: poisoned free pages")
final class ReportingPoisonTest {
    private static final int POISON_OFFSET = 12;
    private static final int PAGE = 4096;

    private final BalloonRig rig = new BalloonRig();

    private void start(Content content, long features, int poison) {
        rig.reclaimer.content(content);
        rig.prepare(features);
        rig.transport.writeConfig(POISON_OFFSET, poison);
        rig.finish();
        rig.settle();
    }

    /** The guest reports ten pages that hold the poison's bytes; tells whether they were taken. */
    private boolean reported(int poison) {
        for (int page = 0; page < 10; page++) {
            rig.fill(DATA_PAGE + page, poison & 0xFF);
        }
        rig.offer(REPORTS, rig.gpa(DATA_PAGE), 10L * PAGE, true);
        rig.kick(REPORTS);
        rig.settle();
        assertEquals(1, rig.reap(REPORTS), "the report is returned in any case");
        return !rig.reclaimer.takeDiscards().isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "ZERO, 0, true",
        "ZERO, 0xAAAAAAAA, false",
        "ZERO, 0x00000001, false",
        "ZERO, 0x80000000, false",
        "UNCHANGED, 0, true",
        "UNCHANGED, 0xAAAAAAAA, true",
        "UNDEFINED, 0, false",
        "UNDEFINED, 0xAAAAAAAA, false",
    })
    void onlyWhatTheHostLeavesRightIsGivenBack(Content content, String poison, boolean taken) {
        int value = (int) (long) Long.decode(poison);
        start(content, ALL_FEATURES, value);

        assertEquals(taken, reported(value));

        assertEquals(Map.of(), rig.anomalies());
        long spared = rig.counter(BalloonCounter.REPORTED_BYTES_SPARED);
        assertEquals(taken ? 0 : 10 * PAGE, spared);
    }

    @ParameterizedTest
    @EnumSource(Content.class)
    void reportedPagesHoldThePoisonWhateverTheHostLeaves(Content content) {
        for (int poison : new int[] {0, 0xAAAA_AAAA}) {
            start(content, ALL_FEATURES, poison);
            reported(poison);

            for (int page = 0; page < 10; page++) {
                int value = rig.ram.le32(rig.gpa(DATA_PAGE + page) + 8);
                assertEquals(poison, value, content + " page " + page);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Content.class)
    @DisplayName("BALLOON-DEV-13: without PAGE_POISON the content of reported pages is free")
    void withoutTheFeatureAnyHostMayTakeThem(Content content) {
        start(content, ALL_FEATURES & ~BalloonFeature.PAGE_POISON, 0);

        assertEquals(true, reported(0));
    }

    @Test
    void aPoisonWithoutTheFeatureIsNoPoison() {
        start(Content.ZERO, ALL_FEATURES & ~BalloonFeature.PAGE_POISON, 0xAAAA_AAAA);

        assertEquals(true, reported(0xAA));
        assertEquals(0, rig.counter(BalloonCounter.POISON_CHANGES));
    }

    @Test
    void aPoisonThatChangesWhileUpIsCountedAndHonoured() {
        start(Content.ZERO, ALL_FEATURES, 0);
        assertEquals(true, reported(0));

        rig.transport.writeConfig(POISON_OFFSET, 0x5555_5555);
        rig.settle();
        assertEquals(false, reported(0x55));
        rig.transport.writeConfig(POISON_OFFSET, 0);
        rig.settle();

        assertEquals(true, reported(0));
        assertEquals(Map.of(BalloonCounter.POISON_CHANGES, 2L), rig.anomalies());
    }

    @Test
    void aPoisonThatChangesWithTheReportIsHonoured() {
        start(Content.ZERO, ALL_FEATURES, 0);
        rig.transport.writeConfig(POISON_OFFSET, 0x5555_5555);

        assertEquals(false, reported(0x55));
    }

    @Test
    void thePoisonWrittenAgainIsNoChange() {
        start(Content.ZERO, ALL_FEATURES, 7);
        rig.transport.writeConfig(POISON_OFFSET, 7);
        rig.settle();

        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void aResetSetsThePoisonBack() {
        start(Content.ZERO, ALL_FEATURES, 0x5555_5555);

        rig.start(ALL_FEATURES);

        assertEquals(0, rig.transport.readConfig(POISON_OFFSET));
        assertEquals(true, reported(0));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    @DisplayName("BALLOON-DEV-12: inflating gives pages back whatever the poison")
    void theBalloonIsNotPoisoned() {
        start(Content.ZERO, ALL_FEATURES, 0xAAAA_AAAA);

        rig.inflate(rig.dataRun(0, 3));

        assertEquals(List.of(rig.range(0, 3)), rig.reclaimer.takeDiscards());
    }
}
