package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

/** Resets and stopped queues in the middle of work. */
@DisplayName("RESET-DEV-01, -03, VQ-DEV-01, MMIO-DEV-09: reset and stop")
final class ResetTest {
    private static final int QUEUE_SEL = 0x30;
    private static final int QUEUE_READY = 0x44;

    private final BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(11));

    /** Ten pages of a request of 100 are in the balloon; the rest is to come. */
    private void stopInTheMiddleOfAnInflate() {
        rig.start();
        rig.device.target(200);
        rig.settle();
        rig.offer(INFLATE, rig.dataRun(0, 100));
        rig.kick(INFLATE);
        rig.poll();
        assertEquals(10, rig.device.ledgerPages());
    }

    @Test
    void aResetReturnsThePagesAndKeepsTheTarget() {
        stopInTheMiddleOfAnInflate();
        rig.transport.writeConfig(4, 7);

        rig.transport.reset();

        assertEquals(0, rig.device.ledgerPages());
        assertEquals(0, rig.device.actualPages());
        assertEquals(200, rig.device.targetPages());
        assertEquals(List.of(rig.range(0, 10)), rig.reclaimer.takeReuses());
        assertEquals(
                Map.of(
                        BalloonCounter.PAGES_INFLATED,
                        10L,
                        BalloonCounter.PAGES_RETURNED_BY_RESET,
                        10L,
                        BalloonCounter.BYTES_ASKED,
                        10 * 4096L,
                        BalloonCounter.BYTES_ACCEPTED,
                        10 * 4096L),
                rig.counters());
    }

    @Test
    void afterAResetNothingOfTheOldRequestHappens() {
        stopInTheMiddleOfAnInflate();
        rig.transport.reset();
        rig.takeInterrupts();
        byte[] before = rig.snapshot();

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(0, rig.rings[INFLATE].usedIdx());
        assertEquals(0, rig.takeInterrupts());
        assertEquals(0, rig.device.ledgerPages());
        rig.assertOnlyDiscarded(before);
    }

    @Test
    void aNewDriverStartsAtTheBeginning() {
        stopInTheMiddleOfAnInflate();

        rig.start();
        rig.reclaimer.takeDiscards();
        rig.inflate(rig.dataRun(5, 20));

        assertEquals(20, rig.device.ledgerPages());
        assertEquals(200, rig.transport.readConfig(0));
        assertEquals(0, rig.transport.readConfig(4));
        assertEquals(1, rig.rings[INFLATE].usedIdx());
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void halfAPageNumberDoesNotOutliveAReset() {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(8)).start();
        // Five units for four numbers, one for each byte of the fifth: a budget of 8 ends after
        // two.
        long gpa = rig.write(rig.data(50), rig.data(51), rig.data(52), rig.data(53), -1);
        long[] gpas = {gpa, gpa + 16, gpa + 17, gpa + 18, gpa + 19};
        long[] lengths = {16, 1, 1, 1, 1};
        rig.offer(INFLATE, gpas, lengths, gpas.length, 0);
        rig.kick(INFLATE);
        rig.poll();
        assertEquals(4, rig.device.ledgerPages());

        rig.start();
        rig.reclaimer.takeDiscards();
        rig.inflate(rig.data(3));

        assertEquals(List.of(rig.range(3, 1)), rig.reclaimer.takeDiscards());
        assertEquals(0, rig.counter(BalloonCounter.PARTIAL_PAGE_NUMBERS));
    }

    @Test
    void aResetInTheMiddleOfADeflateReturnsTheRest() {
        rig.start();
        rig.inflate(rig.dataRun(0, 100));
        rig.offer(DEFLATE, rig.dataRun(0, 100));
        rig.kick(DEFLATE);
        rig.poll();
        rig.reclaimer.takeReuses();

        rig.transport.reset();

        assertEquals(10, rig.counter(BalloonCounter.PAGES_DEFLATED));
        assertEquals(90, rig.counter(BalloonCounter.PAGES_RETURNED_BY_RESET));
        assertEquals(List.of(rig.range(10, 90)), rig.reclaimer.takeReuses());
    }

    @Test
    void aResetOfAnEmptyBalloonReturnsNothing() {
        rig.start();

        rig.transport.reset();
        rig.transport.reset();

        assertEquals(List.of(), rig.reclaimer.takeReuses());
        assertEquals(Map.of(), rig.counters());
    }

    @Test
    void afterAResetNoRingIsProtected() {
        rig.start();
        rig.transport.reset();
        RingBytes other = RingBytes.at(rig.ram, 16, rig.gpa(BalloonRig.DATA_PAGE + 200));
        DriverQueue queue = restartInflateAt(other);

        queue.add(rig.write(rig.pfn(1), rig.pfn(2), rig.pfn(3), rig.data(200)), 16, false);
        queue.publish();
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(List.of(rig.pfn(1) + "+3"), rig.reclaimer.takeDiscards());
        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 1L), rig.anomalies());
    }

    /** Brings the device up with an inflate queue elsewhere, and no other. */
    private DriverQueue restartInflateAt(RingBytes ring) {
        DriverHandshake handshake = new DriverHandshake(rig.transport);
        assertNull(handshake.negotiate(5, BalloonRig.ALL_FEATURES, 0));
        DriverQueue queue =
                new DriverQueue(rig.ram.memory(), ring.addresses(), handshake.features(), null);
        assertNull(handshake.enableQueue(INFLATE, ring.addresses()));
        assertNull(handshake.finish());
        return queue;
    }

    private void stop(int queue) {
        rig.mmio.store(QUEUE_SEL, 4, queue);
        rig.mmio.store(QUEUE_READY, 4, 0);
    }

    @Test
    void theRingOfAStoppedQueueIsProtectedNoMore() {
        rig.start();
        stop(DEFLATE);

        rig.inflate(rig.pfn(2), rig.pfn(3), rig.pfn(4), rig.pfn(5));

        assertEquals(List.of(rig.pfn(3) + "+3"), rig.reclaimer.takeDiscards());
        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 1L), rig.anomalies());
    }

    @Test
    void aQueueThatIsStoppedMidwayIsLeftAlone() {
        stopInTheMiddleOfAnInflate();
        stop(INFLATE);
        rig.takeInterrupts();
        byte[] before = rig.snapshot();

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(0, rig.rings[INFLATE].usedIdx());
        assertEquals(0, rig.takeInterrupts());
        rig.assertOnlyDiscarded(before);
        assertFalse(rig.needsReset());
    }

    @Test
    void pagesThatWereTakenStayInTheBalloonWhenTheirQueueStops() {
        stopInTheMiddleOfAnInflate();

        stop(INFLATE);

        assertEquals(10, rig.device.ledgerPages());
        assertEquals(List.of(), rig.reclaimer.takeReuses());
        rig.deflate(rig.dataRun(0, 10));
        assertEquals(0, rig.device.ledgerPages());
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    @DisplayName("VQ-DEV-04: a queue may come back elsewhere and smaller")
    void aQueueThatWasStoppedMidwayStartsAfreshElsewhere() {
        stopInTheMiddleOfAnInflate();
        stop(INFLATE);
        rig.reclaimer.takeDiscards();
        RingBytes other = RingBytes.at(rig.ram, 16, rig.gpa(BalloonRig.DATA_PAGE + 200));
        DriverQueue queue =
                new DriverQueue(rig.ram.memory(), other.addresses(), BalloonRig.ALL_FEATURES, null);
        rig.transport.enableQueue(INFLATE, other.addresses());

        queue.add(rig.write(rig.pfn(0), rig.pfn(3), rig.data(200), rig.data(90)), 16, false);
        queue.publish();
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(1, other.usedIdx());
        assertEquals(List.of(rig.pfn(0) + "+1", rig.range(90, 1)), rig.reclaimer.takeDiscards());
        assertEquals(Map.of(BalloonCounter.PAGES_OF_LIVE_RING, 2L), rig.anomalies());
    }

    @Test
    void aResetWhileTheDeviceIsBrokenReturnsThePages() {
        stopInTheMiddleOfAnInflate();
        rig.rings[DEFLATE].offer(0xFFFF);
        rig.kick(DEFLATE);
        rig.settle();

        rig.transport.reset();

        assertEquals(0, rig.device.ledgerPages());
        assertFalse(rig.needsReset());
    }
}
