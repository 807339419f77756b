package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;
import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/** How many requests there are, and what is in them. */
final class BalloonRequestShapeTest {

    private static BalloonDriverOptions options(int queueSize, int inFlight, int pages) {
        return BalloonRig.OPTIONS.withRequests(
                new BalloonDriverOptions.Requests(queueSize, inFlight, pages));
    }

    private static List<Integer> sizes(List<BalloonRequest> requests) {
        return requests.stream().map(BalloonRequest::pages).toList();
    }

    @Test
    void fillsRequestsAndLeavesTheLastOneShorter() {
        BalloonRig rig = new BalloonRig().started();

        rig.device.target(600);
        rig.step();

        assertEquals(List.of(256, 256, 88), sizes(rig.device.waiting(INFLATE)));
    }

    @Test
    void fillsDeflateRequestsAlike() {
        BalloonRig rig = new BalloonRig().inflatedTo(600);

        rig.device.target(1);
        rig.step();

        assertEquals(List.of(256, 256, 87), sizes(rig.device.waiting(DEFLATE)));
    }

    @Test
    void keepsAsManyRequestsInFlightAsItMay() {
        BalloonRig rig = new BalloonRig(options(16, 3, 16)).started();
        rig.device.target(1000);

        rig.step();
        int first = rig.device.waiting().size();
        rig.device.confirm(rig.device.waiting().get(1));
        rig.step();

        assertEquals(3, first);
        assertEquals(3, rig.device.waiting().size());
        assertEquals(4, rig.device.log(INFLATE).size());
    }

    @Test
    void keepsAsManyDeflateRequestsInFlightAsItMay() {
        BalloonRig rig = new BalloonRig(options(16, 3, 16)).inflatedTo(200);
        rig.device.target(0);

        rig.step();
        rig.step();

        assertEquals(List.of(16, 16, 16), sizes(rig.device.waiting(DEFLATE)));
    }

    @ParameterizedTest
    @CsvSource({"1, 16, 1", "16, 1, 1", "2, 128, 2", "16, 128, 16", "32, 8, 8"})
    @DisplayName("MMIO-DRV-16: neither side's queue size is exceeded")
    void hasNoMoreInFlightThanTheQueueHolds(int driverSize, int deviceSize, int expected) {
        BalloonRig rig = new BalloonRig(options(driverSize, 1024, 4));
        rig.device.queueSizeMax = deviceSize;
        rig.started();

        rig.device.target(1000);
        rig.step();

        assertEquals(expected, rig.device.waiting().size());
        assertEquals(Math.min(driverSize, deviceSize), rig.device.place(INFLATE).size());
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "16, 1, 256", "16, 4, 1", "4, 4, 3", "128, 16, 1024"})
    void reachesTheTargetWithAnyShapeOfRequests(int queueSize, int inFlight, int pages) {
        BalloonRig rig = new BalloonRig(options(queueSize, inFlight, pages)).inflatedTo(333);

        rig.device.target(7);
        rig.settle();

        assertEquals(7, rig.device.actual());
    }

    @Test
    void goesOnPastTheWrapOfTheSixteenBitIndex() {
        BalloonRig rig = new BalloonRig(options(4, 4, 1)).started();

        // 48 rounds of 1440 requests of one page: 69120 on each queue.
        for (int round = 0; round < 48; round++) {
            rig.inflatedTo(1440);
            rig.device.target(0);
            rig.settle();
        }

        assertEquals(69_120, rig.device.log(INFLATE).size());
        assertEquals(0, rig.driver.restarts());
    }

    @Test
    void takesContiguousBlocksWhenThereAreAny() {
        BalloonRig rig = new BalloonRig().started();

        rig.device.target(512);
        rig.step();

        for (BalloonRequest request : rig.device.waiting()) {
            int[] pfns = request.pfns();
            assertEquals(255, pfns[255] - pfns[0], "one block of 256 pages");
            assertEquals(0, pfns[0] % 256, "aligned to its size");
        }
    }

    @Test
    void takesTheLargestBlocksThatFitTheRequest() {
        BalloonRig rig = new BalloonRig().started();
        long before = rig.pages.allocations;

        rig.device.target(0b1011);
        rig.step();

        assertEquals(3, rig.pages.allocations - before, "blocks of 8, 2 and 1");
    }

    @Test
    void fillsARequestFromSmallBlocksWhenMemoryIsInPieces() {
        BalloonRig rig = new BalloonRig().started();
        rig.pressure.refuseAbove(2);

        rig.device.target(300);
        rig.step();

        assertEquals(List.of(256, 44), sizes(rig.device.waiting()));
    }

    @Test
    void putsEachRequestInABufferOfItsOwn() {
        BalloonRig rig = new BalloonRig().started();

        rig.device.target(1024);
        rig.step();

        List<Long> places =
                rig.device.waiting().stream().map(BalloonRequest::gpa).sorted().toList();
        for (int i = 1; i < places.size(); i++) {
            assertEquals(1024, places.get(i) - places.get(i - 1));
        }
        assertEquals(4, places.size());
    }

    @Test
    @DisplayName("INIT-DRV-15: a request stays as it is until it is confirmed")
    void doesNotTouchARequestInFlight() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(1300);
        rig.step();
        BalloonRequest held = rig.device.waiting().get(1);
        byte[] before = rig.ram.bytes(held.gpa(), 1024);
        byte[] descriptor = rig.device.ring(INFLATE).descriptor(held.head());

        for (int round = 0; round < 5; round++) {
            rig.device.confirm(rig.device.waiting().stream().filter(r -> r != held).toList());
            rig.step();
        }

        assertArrayEquals(before, rig.ram.bytes(held.gpa(), 1024));
        assertArrayEquals(descriptor, rig.device.ring(INFLATE).descriptor(held.head()));
    }
}
