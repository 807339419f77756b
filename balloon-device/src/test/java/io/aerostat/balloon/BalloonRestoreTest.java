package io.aerostat.balloon;

import static io.aerostat.virtio.spec.balloon.BalloonQueue.DEFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.FREE_PAGE_HINT;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.INFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.REPORTING;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.HintRound;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.virtio.testkit.DeviceLog;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;

/** A device that goes on where another one was saved: in the middle of whatever it did. */
final class BalloonRestoreTest {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final int SMALL = 1 << 12;

    /** A clock that started long ago, or will. */
    private static final long ORIGIN_NS = -7_000_000 * SECOND_NS;

    private final DeviceLog log = new DeviceLog();

    @AfterEach
    void closeLog() {
        log.close();
    }

    private static SnapshotRig rig(int workBudget) {
        return new SnapshotRig(SnapshotRig.OPTIONS.withWorkBudget(workBudget), SMALL)
                .start(SnapshotRig.ALL_FEATURES);
    }

    // --- in the middle of a request

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 16, 40})
    void aRequestInWorkIsFinishedByAnotherDeviceAfterEachPass(int workBudget)
            throws SnapshotException {
        SnapshotRig rig = rig(workBudget);
        rig.offer(INFLATE, rig.dataRun(0, 37));
        int devices = 0;

        while (rig.reap(INFLATE) == 0) {
            rig.succeed(devices * ORIGIN_NS);
            rig.poll();
            devices++;
        }

        assertTrue(devices >= 37 / workBudget, "devices=" + devices);
        assertEquals(rig.data(0) + "+37 ", rig.ballooned());
        assertEquals(eachPage(rig, 37), pages(rig.record.takeDiscards()));
        assertEquals(1, rig.counter(BalloonCounter.INFLATE_REQUESTS));
        assertEquals(37, rig.counter(BalloonCounter.PAGES_INFLATED));
        assertEquals(0, rig.device.counters().anomalies());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPageNumberSplitOverElementsIsPutTogetherByAnotherDevice(boolean inIndirectTable)
            throws SnapshotException {
        SnapshotRig rig = new SnapshotRig(SnapshotRig.OPTIONS.withWorkBudget(1), SMALL);
        rig.start(SnapshotRig.ALL_FEATURES & ~(inIndirectTable ? 0 : Feature.INDIRECT_DESC));
        long gpa = rig.slot(INFLATE);
        rig.write(gpa, rig.dataRun(0, 5));
        long[] lengths = {1, 1, 1, 4, 2, 5, 3, 3};
        long[] gpas = new long[lengths.length];
        for (int i = 0; i < lengths.length; i++) {
            gpas[i] = gpa;
            gpa += lengths[i];
        }
        rig.offer(INFLATE, gpas, lengths, lengths.length, 0);
        int devices = 0;

        while (rig.reap(INFLATE) == 0) {
            rig.succeed(0);
            rig.poll();
            devices++;
        }

        assertTrue(devices > lengths.length, "devices=" + devices);
        assertEquals(eachPage(rig, 5), pages(rig.record.takeDiscards()));
        assertEquals(rig.data(0) + "+5 ", rig.ballooned());
    }

    @Test
    void whatTheDriverWritesToTheRequestMeanwhileIsWhatIsRead() throws SnapshotException {
        SnapshotRig rig = rig(2);
        long gpa = rig.slot(INFLATE);
        rig.write(gpa, rig.dataRun(0, 4));
        rig.offer(INFLATE, new long[] {gpa}, new long[] {16}, 1, 0);
        rig.poll();
        rig.poll();

        rig.write(gpa, rig.dataRun(100, 4));
        rig.succeed(0);
        rig.settle();

        assertEquals(1, rig.reap(INFLATE));
        // The first pass spends half of its work on the element.
        assertEquals(rig.data(0) + "+3 " + rig.data(103) + "+1 ", rig.ballooned());
    }

    @Test
    void aReportInWorkIsFinishedByAnotherDevice() throws SnapshotException {
        SnapshotRig rig = new SnapshotRig(SnapshotRig.OPTIONS.withWorkBudget(8), SMALL);
        rig.start(SnapshotRig.ALL_FEATURES & ~BalloonFeature.PAGE_POISON);
        rig.freePages(REPORTING, 0, 100);
        int devices = 0;

        while (rig.reap(REPORTING) == 0) {
            rig.succeed(0);
            rig.poll();
            devices++;
        }

        assertTrue(devices >= 12, "devices=" + devices);
        assertEquals(eachPage(rig, 100), pages(rig.record.takeDiscards()));
        assertEquals(100L << 12, rig.counter(BalloonCounter.BYTES_REPORTED));
        assertEquals(1, rig.counter(BalloonCounter.REPORTS));
    }

    @Test
    void aBrokenDeviceIsBrokenAfterItToo() throws SnapshotException {
        SnapshotRig rig = rig(100);
        for (BalloonQueue queue : BalloonQueue.values()) {
            rig.start(SnapshotRig.ALL_FEATURES);
            long gpa = rig.slot(queue);
            rig.write(gpa, rig.data(1), rig.data(2));
            // The second element is no RAM, and nothing is left of the first one then.
            rig.offer(queue, new long[] {gpa, 0}, new long[] {4, 4}, 2, 0);
            rig.settle();
            rig.succeed(0);
            rig.settle();

            assertTrue(rig.needsReset(), queue.toString());
            assertEquals(0, rig.reap(queue), queue.toString());
            rig.start(SnapshotRig.ALL_FEATURES);
            assertFalse(rig.needsReset(), queue.toString());
        }
        assertEquals(5, rig.faults(QueueFault.ELEMENT_OUTSIDE_RAM));
    }

    /** Numbers of the first data pages. */
    private static List<Integer> eachPage(SnapshotRig rig, int count) {
        List<Integer> pages = new ArrayList<>();
        for (int page : rig.dataRun(0, count)) {
            pages.add(page);
        }
        return pages;
    }

    /** Numbers of all pages of some ranges, in order, as often as they are named. */
    private static List<Integer> pages(List<String> ranges) {
        List<Integer> pages = new ArrayList<>();
        for (String range : ranges) {
            int plus = range.indexOf('+');
            int first = Integer.parseInt(range.substring(0, plus));
            for (int i = 0; i < Integer.parseInt(range.substring(plus + 1)); i++) {
                pages.add(first + i);
            }
        }
        return pages;
    }

    // --- statistics

    @Test
    void theHeldBufferOfStatisticsIsReturnedByAnotherDevice() throws SnapshotException {
        SnapshotRig rig = rig(100);
        // So that head and place in the ring are not 0.
        rig.supply(StatTag.MEMFREE.tag(), 1);
        rig.supply(StatTag.MEMFREE.tag(), 2);
        rig.settle();
        assertEquals(1, rig.reap(STATS));
        int usedIdx = rig.rings[STATS.ordinal()].usedIdx();

        rig.succeed(ORIGIN_NS);
        rig.settle();
        int unasked = rig.rings[STATS.ordinal()].usedIdx();
        rig.device.statistics().request();
        rig.settle();

        assertEquals(usedIdx, unasked);
        assertEquals(usedIdx + 1, rig.rings[STATS.ordinal()].usedIdx());
        assertEquals(1, rig.rings[STATS.ordinal()].usedId(usedIdx));
        assertEquals(1, rig.reap(STATS));
        assertEquals(0, rig.driver(STATS).inFlight());
    }

    @Test
    void theFiguresAndTheirAgeGoOnByTheNewClock() throws SnapshotException {
        SnapshotRig rig = rig(100);
        rig.pass(SECOND_NS);
        rig.supply(StatTag.MEMFREE.tag(), 4711, StatTag.MAJFLT.tag(), -1, 65_000, 12);
        rig.settle();
        rig.pass(3 * SECOND_NS);

        rig.succeed(ORIGIN_NS);
        rig.poll();
        GuestStatistics atOnce = rig.device.statistics().latest().orElseThrow();
        long ageAtOnce = atOnce.ageNs(rig.ownersNowNs());
        rig.pass(2 * SECOND_NS);
        GuestStatistics later = rig.device.statistics().latest().orElseThrow();

        assertEquals(4711, later.value(StatTag.MEMFREE).orElseThrow());
        assertEquals(-1, later.value(StatTag.MAJFLT).orElseThrow());
        assertEquals(12, later.unknown().get(65_000));
        assertEquals(2, later.known().size());
        assertEquals(3 * SECOND_NS, ageAtOnce);
        assertEquals(5 * SECOND_NS, later.ageNs(rig.ownersNowNs()));
        assertEquals(0, rig.device.counters().get(BalloonCounter.STATISTICS));
    }

    @Test
    void thePeriodIsDueWhenItWouldHaveBeen() throws SnapshotException {
        SnapshotRig rig = rig(100);
        rig.device.statistics().period(10 * SECOND_NS);
        rig.settle();
        rig.supply(StatTag.MEMFREE.tag(), 1);
        rig.settle();
        rig.pass(6 * SECOND_NS);

        rig.succeed(ORIGIN_NS);
        rig.poll();
        rig.pass(3 * SECOND_NS);
        int early = rig.reap(STATS);
        rig.pass(SECOND_NS);

        assertEquals(0, early);
        assertEquals(1, rig.reap(STATS));
    }

    /** The time between two machines does not count: nobody knows how long it was. */
    @Test
    void theClockOfARestoredDeviceStartsWhenItIsFirstSeen() throws SnapshotException {
        SnapshotRig rig = rig(100);
        rig.supply(StatTag.MEMFREE.tag(), 1);
        rig.settle();
        rig.pass(2 * SECOND_NS);

        rig.succeed(ORIGIN_NS);
        rig.pass(1000 * SECOND_NS);
        long age = rig.device.statistics().latest().orElseThrow().ageNs(rig.ownersNowNs());

        assertEquals(2 * SECOND_NS, age);
    }

    // --- hints, target

    @Test
    void aRoundOfHintsGoesOnAndANewOneHasANewNumber() throws SnapshotException {
        SnapshotRig rig = rig(16);
        rig.device.hinting().start();
        rig.settle();
        int round = rig.transport.readConfig(8);
        rig.hintCommand(round);
        rig.freePages(FREE_PAGE_HINT, 10, 5);
        rig.settle();

        rig.succeed(0);
        rig.freePages(FREE_PAGE_HINT, 20, 5);
        rig.settle();
        HintRound running = rig.device.hinting().round();
        rig.hintCommand(0);
        rig.settle();
        HintRound complete = rig.device.hinting().round();
        String hinted = rig.hinted();
        rig.succeed(0);
        rig.device.hinting().start();
        rig.settle();

        assertEquals(HintRound.RUNNING, running);
        assertEquals(HintRound.COMPLETE, complete);
        assertEquals(rig.data(10) + "+5 " + rig.data(20) + "+5 ", hinted);
        assertEquals(round + 1, rig.transport.readConfig(8));
        assertEquals("", rig.hinted());
    }

    @Test
    void aTargetGoesOnRisingFromWhereItWas() throws SnapshotException {
        SnapshotRig rig =
                new SnapshotRig(SnapshotRig.OPTIONS.withPagesPerSecond(100), SMALL)
                        .start(SnapshotRig.ALL_FEATURES);
        rig.device.target(1000);
        rig.settle();
        rig.pass(3 * SECOND_NS);
        long before = rig.device.targetPages();

        rig.succeed(ORIGIN_NS);
        long atOnce = rig.device.targetPages();
        rig.poll();
        rig.pass(2 * SECOND_NS);
        long later = rig.device.targetPages();
        rig.pass(1000 * SECOND_NS);

        assertEquals(300, before);
        assertEquals(300, atOnce);
        assertEquals(500, later);
        assertEquals(1000, rig.device.targetPages());
    }

    @Test
    void aGuestInNeedIsLeftAloneForAsLongAsItWouldHaveBeen() throws SnapshotException {
        SnapshotRig rig =
                new SnapshotRig(SnapshotRig.OPTIONS.withOomHoldNs(10 * SECOND_NS), SMALL)
                        .start(SnapshotRig.ALL_FEATURES);
        rig.device.target(200);
        rig.settle();
        rig.offer(INFLATE, rig.dataRun(0, 200));
        rig.settle();
        rig.pass(5 * SECOND_NS);
        rig.offer(DEFLATE, rig.dataRun(0, 150));
        rig.settle();
        rig.pass(4 * SECOND_NS);
        long held = rig.device.targetPages();

        rig.succeed(ORIGIN_NS);
        rig.poll();
        rig.pass(5 * SECOND_NS);
        long stillHeld = rig.device.targetPages();
        rig.pass(SECOND_NS);

        assertEquals(50, held);
        assertEquals(50, stillHeld);
        assertEquals(200, rig.device.targetPages());
        assertEquals(150, rig.counter(BalloonCounter.PAGES_TAKEN_BACK));
    }
}
