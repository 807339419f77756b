package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.HINTS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.HintRound;
import io.aerostat.balloon.range.PageLedger;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rounds of hints: the commands of both sides, and the pages that come of them. */
@DisplayName("BALLOON-DESC-14 to -16, BALLOON-DEV-06 to -11: free page hinting")
final class HintingTest {
    private static final int COMMAND_OFFSET = 8;
    private static final int CONFIG_CHANGE = 2;
    private static final int STOP = 0;
    private static final int DONE = 1;
    private static final int PAGE = 4096;

    private final BalloonRig rig = new BalloonRig();
    private final FreePageHinting hinting = rig.device.hinting();

    @AfterEach
    void nothingWasEverDiscarded() {
        assertEquals(List.of(), rig.reclaimer.takeDiscards());
    }

    private int field() {
        return rig.transport.readConfig(COMMAND_OFFSET);
    }

    private void serve() {
        rig.kick(HINTS);
        rig.settle();
    }

    /** The driver says under which command it sends what follows. */
    private void say(int command) {
        rig.offer(HINTS, rig.write(command), 4, false);
        serve();
    }

    private void hint(int first, int pages) {
        rig.offer(HINTS, rig.gpa(DATA_PAGE + first), (long) pages * PAGE, true);
        serve();
    }

    private int startRound() {
        hinting.start();
        rig.settle();
        return field();
    }

    private List<String> hinted() {
        List<String> ranges = new ArrayList<>();
        hinting.forEachHintedRange((pfn, pages) -> ranges.add(pfn + "+" + pages));
        return ranges;
    }

    private List<String> skippable(PageLedger written) {
        List<String> ranges = new ArrayList<>();
        rig.device
                .ballooned()
                .forEachSkippableRange(written, (pfn, pages) -> ranges.add(pfn + "+" + pages));
        return ranges;
    }

    @Test
    @DisplayName("BALLOON-DEV-06: the field reads STOP while no hints can be used")
    void theFieldIsStopUntilTheHostAsks() {
        rig.start(ALL_FEATURES);

        assertEquals(STOP, field());
        assertEquals(HintRound.NONE, hinting.round());
    }

    @Test
    void aWholeRound() {
        rig.start(ALL_FEATURES);
        int id = startRound();
        assertTrue(Integer.compareUnsigned(id, 2) >= 0, "a round's id: " + id);
        assertEquals(CONFIG_CHANGE, rig.takeCauses());
        assertEquals(HintRound.ASKED, hinting.round());

        say(id);
        assertEquals(HintRound.RUNNING, hinting.round());
        hint(0, 10);
        hint(20, 5);
        assertEquals(15, hinting.hintedPages());
        say(STOP);
        assertEquals(HintRound.COMPLETE, hinting.round());
        assertEquals(List.of(rig.range(0, 10), rig.range(20, 5)), hinted());

        hinting.done();
        rig.settle();
        assertEquals(DONE, field());
        assertTrue((rig.takeCauses() & CONFIG_CHANGE) != 0, "configuration changed");
        assertEquals(HintRound.NONE, hinting.round());
        assertEquals(List.of(), hinted());
        assertEquals(0, hinting.hintedPages());
        assertEquals(4, rig.reap(HINTS), "every buffer came back unwritten");
        assertEquals(
                Map.of(BalloonCounter.HINT_ROUNDS, 1L, BalloonCounter.PAGES_HINTED, 15L),
                rig.counters());
    }

    @Test
    @DisplayName("BALLOON-DEV-08: pages under another id are ignored")
    void pagesBeforeTheIdOrUnderAStaleOneAreIgnored() {
        rig.start(ALL_FEATURES);
        hint(0, 1);
        int first = startRound();
        hint(1, 1);
        say(first);
        hint(2, 1);
        int second = startRound();
        hint(3, 1);
        say(first);
        hint(4, 1);
        say(STOP);
        hint(5, 1);
        assertEquals(HintRound.ASKED, hinting.round());
        say(second);
        hint(6, 1);

        assertEquals(List.of(rig.range(6, 1)), hinted());
        assertEquals(HintRound.RUNNING, hinting.round());
        assertEquals(5, rig.counter(BalloonCounter.STALE_HINTS));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void pagesAfterTheDriversStopAreIgnored() {
        rig.start(ALL_FEATURES);
        int id = startRound();
        say(id);
        hint(0, 1);
        say(STOP);
        hint(1, 1);

        assertEquals(List.of(rig.range(0, 1)), hinted());
        assertEquals(HintRound.COMPLETE, hinting.round());
    }

    @Test
    void aDriverThatMakesUpIdsIsNotHeard() {
        rig.start(ALL_FEATURES);
        int id = startRound();
        for (int made : new int[] {DONE, id + 1, id - 1, -1, Integer.MIN_VALUE}) {
            say(made);
            hint(1, 1);
        }

        assertEquals(List.of(), hinted());
        assertEquals(HintRound.ASKED, hinting.round());
    }

    @Test
    @DisplayName("BALLOON-DEV-08: in the middle of a round, too")
    void pagesUnderAnotherIdInTheMiddleOfARoundAreIgnored() {
        rig.start(ALL_FEATURES);
        int id = startRound();
        say(id);
        hint(0, 1);
        for (int other : new int[] {DONE, id + 1, id - 1, -1}) {
            say(other);
            hint(10, 1);
        }
        assertEquals(List.of(rig.range(0, 1)), hinted());
        assertEquals(4, rig.counter(BalloonCounter.STALE_HINTS));

        say(id);
        hint(20, 1);

        assertEquals(List.of(rig.range(0, 1), rig.range(20, 1)), hinted());
    }

    @Test
    void withoutARoundNoIdBeginsOne() {
        rig.start(ALL_FEATURES);
        for (int command : new int[] {STOP, DONE, 2, 3}) {
            say(command);
            hint(1, 1);
        }

        assertEquals(HintRound.NONE, hinting.round());
        assertEquals(List.of(), hinted());
        assertEquals(Map.of(BalloonCounter.STALE_HINTS, 4L), rig.counters());
    }

    @Test
    @DisplayName("BALLOON-DESC-14: STOP keeps what was hinted")
    void theHostsStopKeepsTheHints() {
        rig.start(ALL_FEATURES);
        int id = startRound();
        say(id);
        hint(0, 3);

        hinting.stop();
        rig.settle();
        hint(10, 3);

        assertEquals(STOP, field());
        assertEquals(HintRound.STOPPED, hinting.round());
        assertEquals(List.of(rig.range(0, 3)), hinted());
        say(STOP);
        assertEquals(HintRound.STOPPED, hinting.round());
        hinting.done();
        rig.settle();
        assertEquals(DONE, field());
        assertEquals(List.of(), hinted());
    }

    @Test
    void aStopWithoutARoundIsNoRound() {
        rig.start(ALL_FEATURES);
        hinting.stop();
        rig.settle();

        assertEquals(HintRound.NONE, hinting.round());
        assertEquals(STOP, field());
    }

    @Test
    void aNewRoundForgetsTheHintsOfTheOld() {
        rig.start(ALL_FEATURES);
        say(startRound());
        hint(0, 3);
        say(STOP);

        int second = startRound();

        assertEquals(List.of(), hinted());
        assertEquals(0, hinting.hintedPages());
        say(second);
        hint(1, 1);
        assertEquals(List.of(rig.range(1, 1)), hinted());
    }

    @Test
    @DisplayName("BALLOON-DEV-07: no id is used twice, and none is STOP or DONE")
    void idsAreNeverUsedAgain() {
        rig.start(ALL_FEATURES);
        Set<Integer> seen = new HashSet<>(List.of(STOP, DONE));
        for (int round = 0; round < 200; round++) {
            int id = startRound();
            assertTrue(seen.add(id), "id=" + id);
            switch (round % 4) {
                case 0 -> hinting.stop();
                case 1 -> hinting.done();
                case 2 -> rig.start(ALL_FEATURES);
                default -> say(id);
            }
            rig.settle();
            rig.reap(HINTS);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 4096})
    @DisplayName("BALLOON-DRV-24: commands are of 4 bytes")
    void aCommandOfAnotherLengthIsNone(int length) {
        rig.start(ALL_FEATURES);
        int id = startRound();
        rig.offer(HINTS, rig.write(id, 0), length, false);
        serve();
        hint(0, 1);

        assertEquals(HintRound.ASKED, hinting.round());
        assertEquals(List.of(), hinted());
        assertEquals(Map.of(BalloonCounter.MALFORMED_HINTS, 1L), rig.anomalies());
        assertFalse(rig.needsReset());
        say(id);
        assertEquals(HintRound.RUNNING, hinting.round());
    }

    @Test
    void aResetEndsTheRound() {
        rig.start(ALL_FEATURES);
        int id = startRound();
        say(id);
        hint(0, 4);

        rig.transport.reset();

        assertEquals(HintRound.NONE, hinting.round());
        assertEquals(List.of(), skippable(new PageLedger(rig.ram.memory())));
        assertEquals(0, hinting.hintedPages());
        assertEquals(STOP, field());
        rig.start(ALL_FEATURES);
        say(id);
        hint(0, 4);
        assertEquals(List.of(), hinted());
        int next = startRound();
        assertNotEquals(id, next);
        say(next);
        hint(1, 2);
        assertEquals(List.of(rig.range(1, 2)), hinted());
    }

    @Test
    void theNextDriverIsNotInterruptedForTheRoundOfTheLast() {
        rig.start(ALL_FEATURES);
        say(startRound());

        rig.prepare(ALL_FEATURES);
        rig.takeCauses();
        rig.finish();
        rig.settle();

        assertEquals(STOP, field());
        assertEquals(0, rig.takeCauses());
    }

    @Test
    void whatTheOldDriverSaidDoesNotOutliveAReset() {
        rig.start(ALL_FEATURES);
        say(startRound());
        rig.start(ALL_FEATURES);
        startRound();

        hint(0, 1);

        assertEquals(List.of(), hinted());
    }

    @Test
    void withoutTheFeatureTheHostsCommandsReachNobody() {
        BalloonRig plain =
                new BalloonRig(
                                BalloonOptions.DEFAULT.withFeatures(
                                        BalloonOptions.ALL_FEATURES
                                                & ~BalloonFeature.FREE_PAGE_HINT
                                                & ~BalloonFeature.PAGE_POISON))
                        .start(ALL_FEATURES);
        plain.device.hinting().start();
        plain.settle();

        assertEquals(0, plain.takeInterrupts());
        assertEquals(HintRound.ASKED, plain.device.hinting().round());
        assertEquals(0, plain.device.hinting().hintedPages());
    }
}
