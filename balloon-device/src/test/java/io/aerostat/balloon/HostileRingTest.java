package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.virtio.testkit.RingBytes.INDIRECT;
import static io.aerostat.virtio.testkit.RingBytes.NEXT;
import static io.aerostat.virtio.testkit.RingBytes.WRITE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/**
 * A guest that breaks its ring. The device does what was right before, asks for a reset, and
 * touches nothing more.
 */
@DisplayName("STATUS-DEV-03, -04: broken rings")
final class HostileRingTest {
    private final BalloonRig rig = new BalloonRig();
    private final RingBytes ring = rig.rings[INFLATE];

    /** A good request as descriptor 0; the test breaks what comes after. */
    private void offerGoodRequest() {
        rig.start();
        ring.descriptor(0, rig.write(rig.data(1)), 4, 0, 0);
        ring.offer(0);
    }

    /** The good request is done, the broken one is not returned, and no more happens. */
    private void assertStopsWith(QueueFault fault, int... discarded) {
        byte[] before = rig.snapshot();
        rig.kick(INFLATE);
        rig.settle();

        rig.assertFault(fault);
        assertEquals(3, rig.transport.interruptCauses(), "used buffer, and configuration");
        assertEquals(1, ring.usedIdx());
        assertEquals(1, rig.counter(BalloonCounter.INFLATE_REQUESTS));
        rig.assertOnlyDiscarded(before, discarded);
        ring.offer(0);
        rig.kick(INFLATE);
        rig.settle();
        assertEquals(1, ring.usedIdx());
    }

    @Test
    void anElementWithoutBytes() {
        offerGoodRequest();
        ring.descriptor(1, rig.gpa(BalloonRig.REQUEST_PAGE), 0, 0, 0);
        ring.offer(1);

        assertStopsWith(QueueFault.ELEMENT_EMPTY, rig.data(1));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 4", // before RAM
        "0x20FFFE, 4", // across the end of the first region, into the hole
        "0x210000, 4", // in the hole
        "0x7FFFFFFFFFFFFFFC, 8", // across 2^63
        "-4, 8", // across 2^64
        "-1, 1",
        "0x10000, 0xFFFFFFFF", // huge
    })
    void anElementThatIsNotRam(String gpa, String length) {
        offerGoodRequest();
        ring.descriptor(1, Long.decode(gpa), Long.decode(length), 0, 0);
        ring.offer(1);

        assertStopsWith(QueueFault.ELEMENT_OUTSIDE_RAM, rig.data(1));
    }

    @Test
    void aReadableElementBehindAWritableOne() {
        offerGoodRequest();
        long request = rig.write(rig.data(5));
        ring.descriptor(1, request, 4, NEXT | WRITE, 2);
        ring.descriptor(2, request, 4, 0, 0);
        ring.offer(1);

        assertStopsWith(QueueFault.READABLE_AFTER_WRITABLE, rig.data(1));
    }

    @Test
    void aDescriptorThatIsItsOwnNext() {
        offerGoodRequest();
        ring.descriptor(1, rig.write(rig.data(5)), 4, NEXT, 1);
        ring.offer(1);

        assertStopsWith(QueueFault.CHAIN_LOOPS, rig.data(1), rig.data(5));
        assertEquals(BalloonRig.QUEUE_SIZE - 1, rig.counter(BalloonCounter.PAGES_INFLATED_TWICE));
    }

    @Test
    void aLoopOverTheWholeTable() {
        offerGoodRequest();
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            ring.descriptor(i, rig.write(rig.data(1)), 4, NEXT, (i + 1) % BalloonRig.QUEUE_SIZE);
        }
        ring.descriptor(0, rig.write(rig.data(1)), 4, 0, 0);
        ring.descriptor(BalloonRig.QUEUE_SIZE - 1, rig.write(rig.data(2)), 4, NEXT, 1);
        ring.offer(1);

        assertStopsWith(QueueFault.CHAIN_LOOPS, rig.data(1), rig.data(2));
    }

    @Test
    void aLoopInBoundedPasses() {
        BalloonRig small = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(10)).start();
        small.rings[INFLATE].descriptor(0, small.write(small.data(5)), 4, NEXT, 0);
        small.rings[INFLATE].offer(0);
        small.kick(INFLATE);
        int passes = 0;

        while (small.poll() != 0) {
            passes++;
        }

        small.assertFault(QueueFault.CHAIN_LOOPS);
        assertEquals((2 * BalloonRig.QUEUE_SIZE + 1 + 9) / 10, passes);
    }

    @Test
    void aChainOfTheWholeTableIsNoLoop() {
        rig.start();
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            int flags = i + 1 < BalloonRig.QUEUE_SIZE ? NEXT : 0;
            ring.descriptor(i, rig.write(rig.data(i)), 4, flags, i + 1);
        }
        ring.offer(0);

        rig.kick(INFLATE);
        rig.settle();

        assertFalse(rig.needsReset());
        assertEquals(List.of(rig.range(0, 128)), rig.reclaimer.takeDiscards());
    }

    @ParameterizedTest
    @ValueSource(ints = {128, 129, 0x8000, 0xFFFF})
    void aNextThatIsNoDescriptor(int next) {
        offerGoodRequest();
        ring.descriptor(1, rig.write(rig.data(5)), 4, NEXT, next);
        ring.offer(1);

        assertStopsWith(QueueFault.NEXT_OUT_OF_RANGE, rig.data(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {128, 0xFFFF})
    void aHeadThatIsNoDescriptor(int head) {
        offerGoodRequest();
        ring.offer(head);

        assertStopsWith(QueueFault.HEAD_OUT_OF_RANGE, rig.data(1));
    }

    @Test
    void anAvailableIndexThatRunsAway() {
        offerGoodRequest();
        rig.kick(INFLATE);
        rig.poll();
        rig.takeInterrupts();
        ring.availableIdx(1 + BalloonRig.QUEUE_SIZE + 1);

        rig.kick(INFLATE);
        rig.settle();

        rig.assertFault(QueueFault.AVAILABLE_INDEX_JUMP);
        assertEquals(1, ring.usedIdx());
        assertEquals(1, rig.takeInterrupts());
    }

    @Test
    void indirectTablesThatBreakTheirRules() {
        long table = rig.gpa(BalloonRig.INDIRECT_PAGE);
        assertIndirect(QueueFault.INDIRECT_LENGTH_INVALID, table, 0, INDIRECT, 0);
        assertIndirect(QueueFault.INDIRECT_LENGTH_INVALID, table, 17, INDIRECT, 0);
        assertIndirect(QueueFault.INDIRECT_TOO_LONG, table, 16 * 1025, INDIRECT, 0);
        assertIndirect(QueueFault.INDIRECT_OUTSIDE_RAM, 0, 16, INDIRECT, 0);
        assertIndirect(QueueFault.INDIRECT_WITH_NEXT, table, 16, INDIRECT | NEXT, 0);
        assertIndirect(QueueFault.INDIRECT_NESTED, table, 16, INDIRECT, INDIRECT);
        assertIndirect(QueueFault.NEXT_OUT_OF_RANGE, table, 32, INDIRECT, NEXT);
    }

    private static void assertIndirect(
            QueueFault fault, long table, long length, int flags, int innerFlags) {
        HostileRingTest test = new HostileRingTest();
        test.offerGoodRequest();
        if (table != 0) {
            long request = test.rig.write(test.rig.data(5));
            RingBytes.descriptorAt(test.rig.ram, table, request, 4, innerFlags, 2);
        }
        test.ring.descriptor(1, table, length, flags, 2);
        test.ring.offer(1);

        test.assertStopsWith(fault, test.rig.data(1));
    }

    @Test
    void anIndirectTableThatWasNotAgreedOn() {
        BalloonRig plain = new BalloonRig().start(Feature.VERSION_1);
        plain.rings[INFLATE].descriptor(0, plain.gpa(BalloonRig.INDIRECT_PAGE), 16, INDIRECT, 0);
        plain.rings[INFLATE].offer(0);

        plain.kick(INFLATE);
        plain.settle();

        plain.assertFault(QueueFault.INDIRECT_NOT_NEGOTIATED);
    }

    @Test
    void theGoodElementsOfABrokenChainAreInTheBalloonUntilTheReset() {
        offerGoodRequest();
        ring.descriptor(1, rig.write(rig.data(5)), 4, NEXT, 2);
        ring.descriptor(2, 0, 4, 0, 0);
        ring.offer(1);

        assertStopsWith(QueueFault.ELEMENT_OUTSIDE_RAM, rig.data(1), rig.data(5));

        assertEquals(2, rig.device.ledgerPages());
        rig.transport.reset();
        assertEquals(0, rig.device.ledgerPages());
        assertEquals(List.of(rig.range(1, 1), rig.range(5, 1)), rig.reclaimer.takeReuses());
    }

    @Test
    void aBrokenInflateQueueStopsTheDeflateQueueToo() {
        rig.start();
        ring.offer(0xFFFF);
        rig.kick(INFLATE);
        rig.settle();

        rig.offer(DEFLATE, rig.data(0));
        rig.kick(DEFLATE);
        rig.settle();

        assertEquals(0, rig.reap(DEFLATE));
    }

    @Test
    void aDeviceThatWasBrokenWorksAfterAReset() {
        rig.start();
        ring.offer(0xFFFF);
        rig.kick(INFLATE);
        rig.settle();

        rig.start();
        rig.inflate(rig.dataRun(0, 4));

        assertFalse(rig.needsReset());
        assertEquals(4, rig.device.ledgerPages());
    }

    @Test
    void aRequestThatLiesInTheRingIsOnlyRead() {
        rig.start();
        long usedRing = rig.gpa(2);
        ring.descriptor(0, usedRing, 1028, 0, 0);
        ring.descriptor(1, rig.gpa(0), 2048, WRITE, 0);
        ring.offer(0);
        ring.offer(1);
        byte[] before = rig.snapshot();

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(2, ring.usedIdx());
        rig.assertOnlyDiscarded(before);
        assertFalse(rig.needsReset());
    }

    @Test
    void aRequestThatPullsItsOwnTableAwayStopsTheDeviceAndNoMore() {
        BalloonRig small = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(4)).start();
        long table = small.gpa(BalloonRig.INDIRECT_PAGE);
        int own = small.pfn(BalloonRig.INDIRECT_PAGE);
        long request = small.write(own, small.data(1), small.data(2), small.data(3));
        for (int i = 0; i < 4; i++) {
            RingBytes.descriptorAt(
                    small.ram, table + 16L * i, request + 4L * i, 4, i < 3 ? NEXT : 0, i + 1);
        }
        small.rings[INFLATE].descriptor(0, table, 64, INDIRECT, 0);
        small.rings[INFLATE].offer(0);
        byte[] before = small.snapshot();

        small.kick(INFLATE);
        small.settle();

        // Two elements fit in a pass; what the host left of the table is no RAM.
        small.assertFault(QueueFault.ELEMENT_OUTSIDE_RAM);
        small.assertOnlyDiscarded(before, own, small.data(1));
    }

    @Test
    void aFullRingOfRequestsIsReturnedInOnePass() {
        rig.start();
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            rig.offer(INFLATE, rig.data(127 - i));
        }
        rig.kick(INFLATE);

        rig.poll();

        assertEquals(BalloonRig.QUEUE_SIZE, rig.reap(INFLATE));
        assertEquals(List.of(rig.range(0, 128)), rig.reclaimer.takeDiscards());
    }
}
