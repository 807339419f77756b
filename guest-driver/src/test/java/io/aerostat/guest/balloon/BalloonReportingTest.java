package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.REPORTING;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Free page reporting: blocks of 32 pages and more, 2000 ns after they came to be free. */
final class BalloonReportingTest {
    private static final int RESERVE = 100;

    private static BalloonRig reporting() {
        return BalloonRig.with(BalloonFeature.PAGE_REPORTING).started();
    }

    /** Lets the first pass begin and end. */
    private static void pass(BalloonRig rig) {
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.settle();
    }

    private static int reportedPages(BalloonRig rig) {
        return rig.device.log(REPORTING).stream().mapToInt(BalloonRequest::pages).sum();
    }

    @Test
    @DisplayName("BALLOON-DRV-40: reports after the delay, not before")
    void waitsForTheDelay() {
        BalloonRig rig = reporting();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS - 1;
        rig.step();
        int early = rig.device.log(REPORTING).size();

        rig.nowNs += 1;
        rig.step();

        assertEquals(0, early);
        assertEquals(1, rig.device.log(REPORTING).size());
    }

    @Test
    @DisplayName("BALLOON-DESC-18, DRV-41: whole blocks, the largest first")
    void reportsAlignedBlocksTheLargestFirst() {
        BalloonRig rig = reporting();

        pass(rig);

        for (BalloonRequest request : rig.device.log(REPORTING)) {
            long[] lengths = request.lengths();
            assertTrue(request.isWritable());
            assertTrue(lengths.length <= 32);
            for (int i = 0; i < lengths.length; i++) {
                assertTrue(i == 0 || lengths[i] <= lengths[i - 1], Arrays.toString(lengths));
                assertTrue(lengths[i] >= 32 * 4096);
                assertEquals(1, Long.bitCount(lengths[i]));
            }
        }
        assertTrue(reportedPages(rig) > 1300, "reported=" + reportedPages(rig));
        assertEquals(reportedPages(rig), rig.driver.counters().get(DriverCounter.PAGES_REPORTED));
    }

    @Test
    @DisplayName("BALLOON-DRV-39: a block is out of use until its report is confirmed")
    void isolatesWhatIsBeingReported() {
        BalloonRig rig = reporting();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.step();
        BalloonRequest report = rig.device.waiting(REPORTING).get(0);

        // GuardedPages fails the test if a page of the report is handed out.
        rig.takeByOthers((int) rig.pages.freePages());

        assertEquals(report.pages(), rig.driver.isolatedPages());
        rig.assertEveryPageAccountedFor();
    }

    @Test
    @DisplayName("BALLOON-DRV-42: a page is reported once as long as it stays free")
    void doesNotReportAgainWhatStaysFree() {
        BalloonRig rig = reporting();
        pass(rig);
        int first = reportedPages(rig);

        pass(rig);
        pass(rig);

        assertEquals(first, reportedPages(rig));
    }

    @Test
    void reportsWhatWasFreedSince() {
        BalloonRig rig = reporting();
        pass(rig);
        int first = reportedPages(rig);
        rig.takeByOthers(1000);
        rig.freeByOthers(1000);

        pass(rig);

        assertTrue(reportedPages(rig) >= first + 900, "reported=" + reportedPages(rig));
    }

    @Test
    void alwaysLeavesTheReserveToTheGuest() {
        BalloonRig rig = reporting();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;

        rig.step();

        assertTrue(rig.driver.isolatedPages() > 0);
        assertTrue(rig.pages.freePages() >= RESERVE, "free=" + rig.pages.freePages());
    }

    @Test
    void reportsNothingWhenLittleIsFree() {
        BalloonRig rig = reporting();
        rig.takeByOthers((int) rig.pages.freePages() - RESERVE);

        pass(rig);

        assertEquals(0, reportedPages(rig));
    }

    @Test
    void reportsAtMost32BlocksAtATime() {
        BalloonRig rig = reporting();
        // Every other block of 64 is taken in part, so that blocks of 32 are left.
        int[] pfns = IntStream.range(0, 1100).map(i -> rig.pages.allocate(0)).toArray();
        Arrays.stream(pfns).filter(pfn -> (pfn & 32) == 0).forEach(pfn -> rig.pages.free(pfn, 0));

        rig.driver.doWork(0);
        rig.driver.doWork(BalloonRig.REPORTING_NS);
        rig.poll();

        assertTrue(rig.device.waiting(REPORTING).get(0).lengths().length <= 32);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "4, 4", "16, 16", "64, 32"})
    void takesARingOfAnySize(int deviceSize, int ringSize) {
        BalloonRig rig = BalloonRig.with(BalloonFeature.PAGE_REPORTING);
        rig.device.queueSizeMax = deviceSize;
        rig.started();

        pass(rig);

        assertEquals(ringSize, rig.device.place(REPORTING).size());
        assertTrue(reportedPages(rig) > 1300, "reported=" + reportedPages(rig));
    }

    @Test
    void usesOneIndirectDescriptorIfNegotiated() {
        BalloonRig rig =
                new BalloonRig(
                        BalloonRig.OPTIONS,
                        ScriptedBalloon.OFFER
                                | Feature.INDIRECT_DESC
                                | BalloonFeature.PAGE_REPORTING,
                        16);
        rig.started();

        pass(rig);

        RingBytes ring = rig.device.ring(REPORTING);
        byte[] descriptor = ring.descriptor(ring.availableEntry(0));
        assertEquals(RingBytes.INDIRECT, descriptor[12]);
        assertTrue(reportedPages(rig) > 1300, "reported=" + reportedPages(rig));
    }

    @Test
    @DisplayName("BALLOON-DRV-03: no reporting if free pages keep a value that the host can't know")
    void takesNoReportingForAFillingGuestWithoutPoison() {
        BalloonRig rig = BalloonRig.filling(0, BalloonFeature.PAGE_REPORTING).started();

        pass(rig);

        assertEquals(0, rig.driver.features() & BalloonFeature.PAGE_REPORTING);
        assertEquals(0, reportedPages(rig));
        assertEquals(List.of(0L, 1L, 3L, 11L, 15L), rig.bus.stores(0x70));
    }

    @Test
    @DisplayName("BALLOON-DRV-38: with PAGE_POISON pages are filled before they are reported")
    void fillsPagesBeforeItReportsThem() {
        BalloonRig rig =
                BalloonRig.filling(
                        0x1234_5678, BalloonFeature.PAGE_REPORTING | BalloonFeature.PAGE_POISON);
        rig.ram.fill(rig.ram.base(), rig.ram.length(), 0xA5);
        rig.started();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;

        rig.step();

        int[] pfns = rig.device.waiting(REPORTING).get(0).pfns();
        assertTrue(pfns.length > 1000);
        assertTrue(Arrays.stream(pfns).allMatch(pfn -> rig.isFilled(pfn, 0x1234_5678)));
    }

    @Test
    @DisplayName("BALLOON-DRV-37, -42: without PAGE_POISON reported pages are left alone")
    void doesNotTouchReportedPages() {
        BalloonRig rig = reporting();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.step();
        int page = rig.device.waiting(REPORTING).get(0).pfns()[0];
        rig.ram.fill((long) page << 12, 4096, 0xA5);

        rig.settle();

        assertTrue(rig.isFilled(page, 0xA5A5_A5A5));
    }

    @Test
    void givesIsolatedPagesBackInAReset() {
        BalloonRig rig = reporting();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.step();

        rig.device.needReset();
        rig.step();

        assertEquals(State.RESTARTING, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void givesIsolatedPagesBackWhenRemovedAndReportsNoMore() {
        BalloonRig rig = reporting();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.step();

        rig.driver.remove();
        rig.step();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void reportsEverythingAgainToANewDevice() {
        BalloonRig rig = reporting();
        rig.step();
        rig.nowNs += BalloonRig.REPORTING_NS;
        rig.step();
        rig.device.needReset();
        rig.step();
        rig.waitForRetry();
        rig.settle();

        pass(rig);

        assertTrue(reportedPages(rig) > 1300, "reported=" + reportedPages(rig));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 6, 30})
    void bringsTheOrderIntoTheRangeOfTheAllocator(int order) {
        BalloonRig rig =
                new BalloonRig(
                        BalloonRig.OPTIONS.withFreePages(
                                new BalloonDriverOptions.FreePages(
                                        OptionalInt.empty(), order, 6, 0)),
                        ScriptedBalloon.OFFER | BalloonFeature.PAGE_REPORTING,
                        16);
        rig.started();

        pass(rig);

        long least = order == 0 ? 32 : order == 6 ? 64 : 1024;
        assertTrue(
                rig.device.log(REPORTING).stream()
                        .flatMapToLong(request -> Arrays.stream(request.lengths()))
                        .allMatch(length -> length >= least * 4096));
    }
}
