package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.REPORTS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Free pages that the guest reports: given back while it waits, and never later. */
@DisplayName("BALLOON-DESC-18, BALLOON-DEV-13: free page reporting")
final class ReportingTest {
    private static final int PAGE = 4096;
    private static final long FEATURES = ALL_FEATURES & ~BalloonFeature.PAGE_POISON;

    private final BalloonRig rig = new BalloonRig();

    /** Offers one element of data pages. */
    private static void offer(BalloonRig rig, int first, int pages) {
        rig.offer(REPORTS, rig.gpa(DATA_PAGE + first), (long) pages * PAGE, true);
    }

    private static void serve(BalloonRig rig) {
        rig.kick(REPORTS);
        rig.settle();
    }

    private static BalloonRig withUnit(GuestRam.Kind kind, int pages, int unitBytes) {
        GuestRam ram = GuestRam.of(kind, 1 << 21, pages * PAGE);
        return new BalloonRig(ram, BalloonOptions.DEFAULT, unitBytes).start(FEATURES);
    }

    @Test
    void givesReportedPagesBackAndReturnsTheReportUnwritten() {
        rig.start(FEATURES);
        offer(rig, 3, 5);
        byte[] before = rig.snapshot();

        serve(rig);

        rig.assertOnlyDiscarded(before, rig.dataRun(3, 5));
        assertEquals(1, rig.reap(REPORTS), "used length 0 is checked there");
        assertEquals(1, rig.takeInterrupts());
        assertEquals(0, rig.device.ledgerPages(), "reported pages are not in the balloon");
        assertEquals(
                Map.of(
                        BalloonCounter.REPORTS, 1L,
                        BalloonCounter.BYTES_REPORTED, 5L * PAGE,
                        BalloonCounter.BYTES_ASKED, 5L * PAGE,
                        BalloonCounter.BYTES_ACCEPTED, 5L * PAGE),
                rig.counters());
    }

    @Test
    void theGuestStillWaitsWhenPagesAreGivenBack() {
        rig.start(FEATURES);
        List<Integer> usedMeanwhile = new ArrayList<>();
        rig.reclaimer.duringDiscard(() -> usedMeanwhile.add(rig.rings[REPORTS].usedIdx()));
        offer(rig, 0, 2);
        offer(rig, 10, 2);

        serve(rig);

        assertEquals(List.of(0), usedMeanwhile);
        assertEquals(2, rig.rings[REPORTS].usedIdx());
    }

    @Test
    void afterTheReturnNothingMoreIsDiscarded() {
        rig.start(FEATURES);
        offer(rig, 0, 4);
        serve(rig);
        rig.reap(REPORTS);
        rig.fill(DATA_PAGE, 0x11);
        rig.reclaimer.takeDiscards();
        offer(rig, 20, 1);
        byte[] before = rig.snapshot();

        serve(rig);
        rig.pass(BalloonRig.SECOND_NS);

        rig.assertOnlyDiscarded(before, rig.data(20));
    }

    @Test
    void aReportOfManyElementsIsOneListOfRanges() {
        rig.start(FEATURES);
        long[] gpas = IntStream.of(9, 1, 2, 30).mapToLong(i -> rig.gpa(DATA_PAGE + i)).toArray();
        rig.offer(REPORTS, gpas, new long[] {PAGE, PAGE, 2 * PAGE, PAGE}, 0, 4);

        serve(rig);

        assertEquals(
                List.of(rig.range(1, 3), rig.range(9, 1), rig.range(30, 1)),
                rig.reclaimer.takeDiscards());
        assertEquals(1, rig.reclaimer.discardCalls());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 1000})
    void anElementLongerThanTheWorkBudgetTakesSeveralPasses(int budget) {
        BalloonRig small = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(budget));
        small.start(FEATURES);
        offer(small, 0, 300);
        small.kick(REPORTS);
        int pages = 0;

        do {
            int taken = count(small.reclaimer.takeDiscards());
            assertTrue(taken <= budget, "pages in one pass: " + taken);
            pages += taken;
            boolean all = pages == 300;
            assertTrue(all || small.rings[REPORTS].usedIdx() == 0, "returned early");
        } while (small.poll() != 0);
        pages += count(small.reclaimer.takeDiscards());

        assertEquals(300, pages);
        assertEquals(1, small.reap(REPORTS));
        assertEquals(300L * PAGE, small.counter(BalloonCounter.BYTES_REPORTED));
        assertEquals(0, small.counter(BalloonCounter.REPORTED_BYTES_SPARED));
    }

    private static int count(List<String> ranges) {
        return ranges.stream()
                .mapToInt(range -> Integer.parseInt(range.substring(range.indexOf('+') + 1)))
                .sum();
    }

    @ParameterizedTest
    @ValueSource(ints = {0x4000, 0x1_0000, 0x20_0000})
    void aBudgetBelowAHostPageStillGivesAllWholeOnes(int unitBytes) {
        int unit = unitBytes / PAGE;
        int pages = 4 * unit + DATA_PAGE;
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 1 << 21, (pages + unit) * PAGE);
        BalloonRig small =
                new BalloonRig(ram, BalloonOptions.DEFAULT.withWorkBudget(3), unitBytes)
                        .start(FEATURES);
        offer(small, 1, 4 * unit);
        // By absolute address: the RAM begins at 2 MiB, where units begin as well.
        int first = (DATA_PAGE + 1 + unit - 1) / unit;
        int end = (DATA_PAGE + 1 + 4 * unit) / unit;
        byte[] before = small.snapshot();

        serve(small);

        small.assertOnlyDiscarded(
                before, IntStream.range(first * unit, end * unit).map(small::pfn).toArray());
        assertEquals(
                (4L * unit - (long) (end - first) * unit) * PAGE,
                small.counter(BalloonCounter.REPORTED_BYTES_SPARED));
    }

    @Test
    void aReportOfLessThanAHostPageIsReturnedAndSpared() {
        BalloonRig large = withUnit(GuestRam.Kind.BYTE_ARRAY, 512, 0x1_0000);
        offer(large, 1, 15);

        serve(large);

        assertEquals(List.of(), large.reclaimer.takeDiscards());
        assertEquals(1, large.reap(REPORTS));
        assertEquals(15L * PAGE, large.counter(BalloonCounter.REPORTED_BYTES_SPARED));
        assertEquals(Map.of(), large.anomalies());
    }

    @Test
    void twoReportsOfOneAnswerFillAHostPageTogether() {
        BalloonRig large = withUnit(GuestRam.Kind.BYTE_ARRAY, 512, 0x1_0000);
        offer(large, 0, 9);
        offer(large, 9, 7);

        serve(large);

        assertEquals(List.of(large.range(0, 16)), large.reclaimer.takeDiscards());
    }

    @Test
    void aReportDoesNotCompleteWhatAnEarlierOneBegan() {
        BalloonRig large = withUnit(GuestRam.Kind.BYTE_ARRAY, 512, 0x1_0000);
        offer(large, 0, 9);
        serve(large);

        offer(large, 9, 7);
        serve(large);

        assertEquals(List.of(), large.reclaimer.takeDiscards());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2048, 4095})
    void elementsThatAreNotWholePagesAreRoundedInwards(int shift) {
        rig.start(FEATURES);
        rig.offer(REPORTS, rig.gpa(DATA_PAGE) + shift, 3 * PAGE, true);
        byte[] before = rig.snapshot();

        serve(rig);

        rig.assertOnlyDiscarded(before, rig.dataRun(1, 2));
        assertEquals(Map.of(BalloonCounter.MALFORMED_REPORTS, 1L), rig.anomalies());
        assertEquals(PAGE, rig.counter(BalloonCounter.REPORTED_BYTES_SPARED));
        assertEquals(1, rig.reap(REPORTS));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 4095})
    void elementsInsideAPageNameNoPage(int length) {
        rig.start(FEATURES);
        rig.offer(REPORTS, rig.gpa(DATA_PAGE), length, true);
        byte[] before = rig.snapshot();

        serve(rig);

        rig.assertOnlyDiscarded(before);
        assertEquals(Map.of(BalloonCounter.MALFORMED_REPORTS, 1L), rig.anomalies());
        assertEquals(length, rig.counter(BalloonCounter.REPORTED_BYTES_SPARED));
    }

    @Test
    void readableElementsAreCountedAndNeverDiscarded() {
        rig.start(FEATURES);
        long[] gpas = {rig.gpa(DATA_PAGE), rig.gpa(DATA_PAGE + 10)};
        rig.offer(REPORTS, gpas, new long[] {2 * PAGE, 2 * PAGE}, 1, 1);
        byte[] before = rig.snapshot();

        serve(rig);

        rig.assertOnlyDiscarded(before, rig.dataRun(10, 2));
        assertEquals(Map.of(BalloonCounter.MALFORMED_REPORTS, 1L), rig.anomalies());
        assertEquals(1, rig.reap(REPORTS));
    }

    @Test
    void livingRingsAreSpared() {
        rig.start(FEATURES);
        rig.offer(REPORTS, rig.gpa(0), 8L * PAGE, true);
        rig.offer(REPORTS, rig.gpa(DATA_PAGE - 5), 6L * PAGE, true);
        byte[] before = rig.snapshot();

        serve(rig);

        rig.assertOnlyDiscarded(
                before, rig.pfn(6), rig.pfn(7), rig.pfn(91), rig.pfn(92), rig.data(0));
        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 9L), rig.anomalies());
        assertEquals(9L * PAGE, rig.counter(BalloonCounter.REPORTED_BYTES_SPARED));
        assertFalse(rig.needsReset());
    }

    @Test
    void aBalloonedPageThatIsReportedIsCounted() {
        rig.start(FEATURES);
        rig.inflate(rig.dataRun(5, 3));

        offer(rig, 0, 10);
        serve(rig);

        assertEquals(Map.of(BalloonCounter.BALLOONED_PAGES_REPORTED, 3L), rig.anomalies());
        assertEquals(3, rig.device.ledgerPages());
        assertEquals(1, rig.reap(REPORTS));
    }

    @Test
    void aPageReportedTwiceInOnePassIsGivenBackOnce() {
        rig.start(FEATURES);
        offer(rig, 0, 10);
        offer(rig, 5, 10);

        serve(rig);

        assertEquals(List.of(rig.range(0, 15)), rig.reclaimer.takeDiscards());
        assertEquals(20L * PAGE, rig.counter(BalloonCounter.BYTES_REPORTED));
        assertEquals(5L * PAGE, rig.counter(BalloonCounter.REPORTED_BYTES_SPARED));
    }

    @Test
    void anElementMaySpanRegionsOfRam() {
        BalloonRig paged = withUnit(GuestRam.Kind.ADJACENT_REGIONS, 512, PAGE);
        paged.offer(REPORTS, paged.gpa(6), 80L * PAGE, true);
        byte[] before = paged.snapshot();

        serve(paged);

        paged.assertOnlyDiscarded(before, IntStream.range(6, 86).map(paged::pfn).toArray());
        assertEquals(1, paged.reap(REPORTS));
    }

    @Test
    void noHostPageReachesOverTheEdgeOfARegion() {
        // Regions of a page each up to page 16, then one: units of 4 lie in one region from 16 on.
        BalloonRig paged = withUnit(GuestRam.Kind.ADJACENT_REGIONS, 512, 0x4000);
        paged.offer(REPORTS, paged.gpa(6), 30L * PAGE, true);
        byte[] before = paged.snapshot();

        serve(paged);

        paged.assertOnlyDiscarded(before, IntStream.range(16, 36).map(paged::pfn).toArray());
    }

    @Test
    void anElementBehindRamIsAFaultAndWhatCameBeforeIsDone() {
        rig.start(FEATURES);
        offer(rig, 0, 2);
        rig.rings[REPORTS].descriptor(50, rig.ram.end() - PAGE, 2 * PAGE, RingBytes.WRITE, 0);
        rig.rings[REPORTS].offer(50);
        byte[] before = rig.snapshot();

        serve(rig);

        rig.assertFault(QueueFault.ELEMENT_OUTSIDE_RAM);
        rig.assertOnlyDiscarded(before, rig.dataRun(0, 2));
        assertEquals(1, rig.rings[REPORTS].usedIdx());
    }

    @Test
    void aResetInTheMiddleOfAnElementForgetsTheRest() {
        BalloonRig small = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(10));
        small.start(FEATURES);
        offer(small, 0, 100);
        small.kick(REPORTS);
        small.poll();
        small.reclaimer.takeDiscards();

        small.start(FEATURES);
        offer(small, 200, 5);
        serve(small);

        assertEquals(List.of(small.range(200, 5)), small.reclaimer.takeDiscards());
        assertEquals(1, small.reap(REPORTS));
    }

    @Test
    void aQueueStoppedInTheMiddleOfAnElementForgetsTheRest() {
        BalloonRig small = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(10));
        small.start(FEATURES);
        offer(small, 0, 100);
        small.kick(REPORTS);
        small.poll();
        small.stop(REPORTS);
        small.reclaimer.takeDiscards();

        small.settle();
        assertEquals(List.of(), small.reclaimer.takeDiscards());
        small.enable(REPORTS);
        offer(small, 200, 5);
        serve(small);

        assertEquals(List.of(small.range(200, 5)), small.reclaimer.takeDiscards());
    }

    @Test
    void aHostThatTakesNothingReturnsTheReportAllTheSame() {
        rig.start(FEATURES);
        rig.reclaimer.acceptAtMost(0);
        offer(rig, 0, 4);

        serve(rig);

        assertEquals(1, rig.reap(REPORTS));
        assertEquals(4L * PAGE, rig.counter(BalloonCounter.BYTES_ASKED));
        assertEquals(0, rig.counter(BalloonCounter.BYTES_ACCEPTED));
    }
}
