package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/** Pages go in and come out again, from the target to {@code actual}, through the registers. */
final class InflateDeflateTest {
    private static final int CONFIG_CHANGE = 2;
    private static final int USED_BUFFER = 1;

    @Test
    @DisplayName("NOTIFY-DESC-06, BALLOON-DESC-08: a new target is a config interrupt")
    void tellsTheDriverOfANewTarget() {
        BalloonRig rig = new BalloonRig().start();
        int generation = rig.transport.configGeneration();

        rig.device.target(77);
        rig.settle();

        assertEquals(CONFIG_CHANGE, rig.transport.interruptCauses());
        assertEquals(77, rig.transport.readConfig(0));
        assertEquals(generation + 2, rig.transport.configGeneration());
        assertEquals(1, rig.takeInterrupts());
    }

    @Test
    void aTargetFromBeforeTheDriverIsThereWhenItLooks() {
        BalloonRig rig = new BalloonRig();
        rig.device.target(12);
        rig.settle();

        rig.start();

        assertEquals(12, rig.transport.readConfig(0));
        assertEquals(12, rig.device.targetPages());
    }

    @Test
    void refusesATargetThatIsNotRam() {
        BalloonRig rig = new BalloonRig();
        long pages = rig.ram.memory().bytes() / 4096;

        rig.device.target(0);
        rig.device.target(pages);

        assertThrows(IllegalArgumentException.class, () -> rig.device.target(pages + 1));
        assertThrows(IllegalArgumentException.class, () -> rig.device.target(-1));
    }

    @ParameterizedTest
    @MethodSource("io.aerostat.virtio.testkit.GuestRam#kinds")
    @DisplayName("BALLOON-DESC-09, -10: from the target to actual, in RAM of every kind")
    void fillsAndEmptiesTheBalloon(GuestRam.Kind kind) {
        BalloonRig rig =
                new BalloonRig(GuestRam.of(kind, 512 * 4096), BalloonOptions.DEFAULT, 4096).start();
        rig.device.target(20);
        rig.settle();

        rig.inflate(rig.dataRun(0, 20));
        rig.actual(20);
        rig.deflate(rig.dataRun(5, 10));
        rig.actual(10);

        assertEquals(10, rig.device.ledgerPages());
        assertEquals(10, rig.device.actualPages());
        assertEquals(List.of(rig.range(0, 20)), rig.reclaimer.takeDiscards());
        assertEquals(List.of(rig.range(5, 10)), rig.reclaimer.takeReuses());
        assertEquals(
                Map.of(
                        BalloonCounter.INFLATE_REQUESTS, 1L,
                        BalloonCounter.DEFLATE_REQUESTS, 1L,
                        BalloonCounter.PAGES_INFLATED, 20L,
                        BalloonCounter.PAGES_DEFLATED, 10L,
                        BalloonCounter.BYTES_ASKED, 20 * 4096L,
                        BalloonCounter.BYTES_ACCEPTED, 20 * 4096L),
                rig.counters());
    }

    @Test
    @DisplayName("BALLOON-DEV-02: content changes before the request is confirmed, never after")
    void discardsBeforeTheUsedIndexIsVisible() {
        BalloonRig rig = new BalloonRig().start();
        List<Integer> usedIdxInDiscard = new ArrayList<>();
        rig.reclaimer.duringDiscard(() -> usedIdxInDiscard.add(rig.rings[INFLATE].usedIdx()));

        rig.inflate(rig.dataRun(0, 4));
        rig.inflate(rig.dataRun(8, 4));

        assertEquals(List.of(0, 1), usedIdxInDiscard);
        assertEquals(2, rig.rings[INFLATE].usedIdx());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 7})
    void discardsBeforeTheUsedIndexIsVisibleInEveryPassOfALongRequest(int budget) {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(budget)).start();
        rig.reclaimer.duringDiscard(() -> assertEquals(0, rig.rings[INFLATE].usedIdx()));

        rig.inflate(rig.dataRun(0, 50));

        assertEquals(50, rig.device.ledgerPages());
        assertEquals(1, rig.rings[INFLATE].usedIdx());
    }

    @Test
    void theLedgerForgetsPagesBeforeTheDeflateRequestIsReturned() {
        BalloonRig rig = new BalloonRig().start();
        rig.inflate(rig.dataRun(0, 4));
        rig.offer(DEFLATE, rig.dataRun(0, 4));
        rig.kick(DEFLATE);

        rig.poll();

        assertEquals(1, rig.rings[DEFLATE].usedIdx());
        assertEquals(0, rig.device.ledgerPages());
        assertEquals(List.of(rig.range(0, 4)), rig.reclaimer.takeReuses());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Feature.EVENT_IDX})
    void requestsOfOnePassAreOneInterruptAndOneDiscard(long eventIdx) {
        BalloonRig rig =
                new BalloonRig().start((BalloonRig.ALL_FEATURES & ~Feature.EVENT_IDX) | eventIdx);
        for (int first = 0; first < 100; first += 10) {
            rig.offer(INFLATE, rig.dataRun((first + 50) % 100, 10));
        }
        rig.kick(INFLATE);

        rig.settle();

        assertEquals(10, rig.reap(INFLATE));
        assertEquals(USED_BUFFER, rig.transport.interruptCauses());
        assertEquals(1, rig.takeInterrupts());
        assertEquals(List.of(rig.range(0, 100)), rig.reclaimer.takeDiscards());
        assertEquals(1, rig.reclaimer.discardCalls());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Feature.EVENT_IDX})
    void aRequestThatComesDuringThePassNeedsNoKick(long eventIdx) {
        BalloonRig rig =
                new BalloonRig().start((BalloonRig.ALL_FEATURES & ~Feature.EVENT_IDX) | eventIdx);
        rig.reclaimer.duringDiscard(
                () -> {
                    rig.reclaimer.duringDiscard(() -> {});
                    rig.offer(INFLATE, rig.data(1));
                });
        rig.offer(INFLATE, rig.data(0));
        rig.kick(INFLATE);

        rig.settle();

        assertEquals(2, rig.reap(INFLATE));
    }

    @Test
    void kicksAreUnwantedOnlyWhileTheDeviceIsAtWork() {
        BalloonRig rig = new BalloonRig().start(Feature.VERSION_1);
        List<Integer> flagsInDiscard = new ArrayList<>();
        rig.reclaimer.duringDiscard(() -> flagsInDiscard.add(rig.rings[INFLATE].usedFlags()));

        rig.inflate(rig.data(0));

        assertEquals(List.of(1), flagsInDiscard);
        assertEquals(0, rig.rings[INFLATE].usedFlags());
    }

    @Test
    void aDriverThatAsksForNoInterruptGetsNone() {
        BalloonRig rig = new BalloonRig().start(Feature.VERSION_1);
        rig.queues[INFLATE].disarm();

        rig.inflate(rig.dataRun(0, 4));

        assertEquals(0, rig.takeInterrupts());
    }

    @Test
    void anInflateIsTakenAgainAfterItsDeflate() {
        BalloonRig rig = new BalloonRig().start();
        for (int round = 0; round < 3; round++) {
            rig.inflate(rig.data(3), rig.data(4));
            rig.deflate(rig.data(4), rig.data(3));
        }

        assertEquals(0, rig.device.ledgerPages());
        assertEquals(6, rig.counter(BalloonCounter.PAGES_INFLATED));
        assertEquals(6, rig.counter(BalloonCounter.PAGES_DEFLATED));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void pagesSentDownwardsInRunsAreOneRange() {
        BalloonRig rig = new BalloonRig().start();
        int[] downwards = new int[256];
        for (int i = 0; i < downwards.length; i++) {
            downwards[i] = rig.data(255 - i);
        }

        rig.inflate(downwards);

        assertEquals(List.of(rig.range(0, 256)), rig.reclaimer.takeDiscards());
    }

    @Test
    @DisplayName("BALLOON-DRV-01, BALLOON-DEV-01: a driver without MUST_TELL_HOST is served")
    void servesADriverThatTakesNoFeature() {
        BalloonRig rig = new BalloonRig().start(Feature.VERSION_1);

        rig.inflate(rig.dataRun(0, 4));
        rig.deflate(rig.dataRun(0, 4));

        assertEquals(4, rig.counter(BalloonCounter.PAGES_DEFLATED));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void bothQueuesAreServedInOnePoll() {
        BalloonRig rig = new BalloonRig().start();
        rig.inflate(rig.dataRun(0, 4));
        rig.offer(INFLATE, rig.dataRun(10, 4));
        rig.offer(DEFLATE, rig.dataRun(0, 4));
        rig.kick(DEFLATE);
        rig.kick(INFLATE);

        rig.poll();

        assertEquals(1, rig.reap(INFLATE));
        assertEquals(1, rig.reap(DEFLATE));
        assertEquals(4, rig.device.ledgerPages());
    }

    @Test
    void aPollWithoutWorkDoesNothing() {
        BalloonRig rig = new BalloonRig().start();
        byte[] before = rig.snapshot();

        int work = rig.poll();

        assertEquals(0, work);
        rig.assertOnlyDiscarded(before);
        assertFalse(rig.needsReset());
    }

    @Test
    void servesRamUpToTheLastPageNumber() {
        long base = (1L << 44) - 512 * 4096;
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, base, 512 * 4096);
        BalloonRig rig = new BalloonRig(ram, BalloonOptions.DEFAULT, 4096).start();

        rig.inflate(0xFFFF_FFFF, 0xFFFF_FFFE, 0);

        assertEquals(2, rig.device.ledgerPages());
        assertEquals(List.of("4294967294+2"), rig.reclaimer.takeDiscards());
        assertEquals(Map.of(BalloonCounter.PAGES_OUTSIDE_RAM, 1L), rig.anomalies());
    }

    @Test
    void refusesRamThatHasNoPageNumber() {
        long base = (1L << 44) - 511 * 4096;
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, base, 512 * 4096);

        assertThrows(
                IllegalArgumentException.class,
                () -> new BalloonRig(ram, BalloonOptions.DEFAULT, 4096));
    }

    @Test
    void tellsWhichPagesAreInTheBalloon() {
        BalloonRig rig = new BalloonRig().start();
        rig.inflate(rig.data(0), rig.data(1), rig.data(2), rig.data(9));
        rig.deflate(rig.data(1));
        BitSet expected = new BitSet();
        expected.set(rig.data(0));
        expected.set(rig.data(2));
        expected.set(rig.data(9));

        BitSet pages = new BitSet();
        rig.device
                .ballooned()
                .forEachRange((pfn, count) -> pages.set((int) pfn, (int) (pfn + count)));

        assertEquals(expected, pages);
    }

    @Test
    void tellsWhatTheHostHasReallyTaken() {
        BalloonRig rig = new BalloonRig().start();
        rig.inflate(rig.data(0), rig.data(1), rig.data(2), rig.data(8), rig.data(9));

        rig.reclaimer.resident(4096);
        long partly = rig.device.ballooned().verifiedBytes();
        rig.reclaimer.resident(PageReclaimer.UNKNOWN);
        long unknown = rig.device.ballooned().verifiedBytes();

        assertEquals(2 * 4096 + 1 * 4096, partly);
        assertEquals(PageReclaimer.UNKNOWN, unknown);
    }
}
