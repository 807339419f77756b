package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.HostileRing;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;

/** Every fault that a driver can leave in a ring, on every kind of RAM. */
final class HostileDriverTest {
    private static final long TABLE = Rings.DATA + 2 * GuestRam.PAGE - 16;

    static Stream<Arguments> kindsAndHostileRings() {
        return Rings.kinds()
                .flatMap(
                        kind ->
                                Arrays.stream(HostileRing.values())
                                        .map(hostile -> Arguments.of(kind, hostile)));
    }

    private static RingBytes hostile(GuestRam.Kind kind, int size, HostileRing hostile) {
        RingBytes ring = Rings.ring(Rings.ram(kind), size);
        hostile.writeTo(ring, Rings.DATA, TABLE);
        return ring;
    }

    private static DeviceQueue device(RingBytes ring, HostileRing hostile) {
        return Rings.device(ring, hostile.wantsIndirect() ? Rings.BOTH : Rings.EVENT);
    }

    /** Takes all that is there and walks it; the steps it took, ending at a fault or at none. */
    private static int drain(DeviceQueue device) {
        int steps = 0;
        while (device.poll() == DeviceQueue.CHAIN) {
            do {
                steps++;
            } while (device.chain().next() == ChainCursor.ELEMENT);
        }
        return steps;
    }

    @ParameterizedTest
    @MethodSource("kindsAndHostileRings")
    void stopsByTheFaultOfTheRule(GuestRam.Kind kind, HostileRing hostile) {
        DeviceQueue device = device(hostile(kind, 4, hostile), hostile);

        drain(device);

        assertEquals(hostile.expected(), device.fault());
    }

    @ParameterizedTest
    @EnumSource(HostileRing.class)
    void stopsByTheSameFaultOnALongQueue(HostileRing hostile) {
        RingBytes ring = hostile(GuestRam.Kind.ADJACENT_REGIONS, 1024, hostile);
        DeviceQueue device = device(ring, hostile);

        int steps = drain(device);

        assertEquals(hostile.expected(), device.fault());
        assertTrue(steps <= 1025, "steps=" + steps);
    }

    @ParameterizedTest
    @MethodSource("kindsAndHostileRings")
    void writesNothingToABrokenRing(GuestRam.Kind kind, HostileRing hostile) {
        RingBytes ring = hostile(kind, 4, hostile);
        byte[] before = ring.ram().bytes(ring.ram().base(), ring.ram().length());
        DeviceQueue device = device(ring, hostile);

        drain(device);
        device.publish();

        assertEquals(
                -1, Arrays.mismatch(before, ring.ram().bytes(ring.ram().base(), before.length)));
    }

    @ParameterizedTest
    @EnumSource(HostileRing.class)
    void staysStoppedWhenTheDriverRepairsTheRing(HostileRing hostile) {
        RingBytes ring = hostile(GuestRam.Kind.BYTE_ARRAY, 4, hostile);
        DeviceQueue device = device(ring, hostile);
        drain(device);
        ring.availableIdx(1);
        ring.availableEntry(0, 0);
        ring.descriptor(0, Rings.DATA, 8, 0, 0);

        int next = device.poll();

        assertEquals(DeviceQueue.FAULT, next);
        assertEquals(hostile.expected(), device.fault());
        assertTrue(device.armAndRecheck());
    }

    @ParameterizedTest
    @EnumSource(HostileRing.class)
    void buffersCompletedBeforeTheFaultAreStillPublished(HostileRing hostile) {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);
        ring.descriptor(3, Rings.DATA, 8, 0, 0);
        ring.offer(3);
        DeviceQueue device = device(ring, hostile);
        device.poll();
        device.complete(device.chain().head(), 0);
        // Rings whose fault is in avail.idx write it from the start: move it on by the buffer
        // above.
        ring.availableIdx(0);
        hostile.writeTo(ring, Rings.DATA, TABLE);
        ring.availableEntry(1, ring.availableEntry(0));
        ring.availableIdx(ring.availableIdx() + 1);

        drain(device);
        boolean interrupt = device.publish();

        assertEquals(hostile.expected(), device.fault());
        assertEquals(1, ring.usedIdx());
        assertEquals(3, ring.usedId(0));
        assertTrue(interrupt);
    }

    @ParameterizedTest
    @EnumSource(
            value = HostileRing.class,
            mode = EnumSource.Mode.MATCH_NONE,
            names = {"INDEX_.*", "HEAD_.*"})
    void aBrokenChainHasNoLastElement(HostileRing hostile) {
        RingBytes ring = hostile(GuestRam.Kind.BYTE_ARRAY, 4, hostile);
        DeviceQueue device = device(ring, hostile);

        drain(device);

        assertEquals(false, device.chain().isAtLastElement());
    }

    @Test
    void everyFaultOfARingHasAHostileRing() {
        Set<QueueFault> found = EnumSet.noneOf(QueueFault.class);
        for (HostileRing hostile : HostileRing.values()) {
            found.add(hostile.expected());
        }

        Set<QueueFault> elsewhere =
                EnumSet.of(
                        QueueFault.SIZE_INVALID,
                        QueueFault.RING_MISALIGNED,
                        QueueFault.RING_OUTSIDE_RAM,
                        QueueFault.RING_GIVEN_AWAY,
                        QueueFault.RESUMED_ELSEWHERE,
                        QueueFault.CHAIN_TOO_LONG,
                        QueueFault.HEAD_IN_USE,
                        QueueFault.USED_INDEX_JUMP,
                        QueueFault.USED_ID_NOT_IN_FLIGHT,
                        QueueFault.USED_LENGTH_TOO_LONG);
        assertEquals(EnumSet.complementOf(EnumSet.copyOf(elsewhere)), found);
    }

    /** The chain goes round in 1 MiB of RAM until its bytes are too many. */
    @ParameterizedTest
    @ValueSource(ints = {4096, 8192})
    void refusesAChainOfMoreThan2To32Bytes(int size) {
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 1 << 20);
        RingBytes ring = RingBytes.at(ram, size, ram.base());
        for (int i = 0; i < size; i++) {
            ring.descriptor(i, ram.base(), 1 << 20, i < size - 1 ? RingBytes.NEXT : 0, i + 1);
        }
        ring.offer(0);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);

        int steps = drain(device);

        // 4096 times 2^20 is 2^32, which is allowed: then the walk ends by itself.
        assertEquals(4097, steps);
        assertEquals(size == 4096 ? null : QueueFault.CHAIN_TOO_LONG, device.fault());
    }

    /** Reached only by a driver that rewrites a descriptor while the device walks. */
    @Test
    void refusesAnIndirectTableAfterAsManyElementsAsTheQueueHas() {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 1);
        ring.descriptor(0, Rings.DATA, 8, RingBytes.NEXT, 0);
        ring.offer(0);
        DeviceQueue device = Rings.device(ring, Rings.INDIRECT);
        device.poll();
        device.chain().next();
        ring.descriptor(0, Rings.DATA, 16, RingBytes.INDIRECT, 0);

        device.chain().next();

        assertEquals(QueueFault.CHAIN_LOOPS, device.fault());
    }

    @Test
    void aDescriptorRewrittenAfterItWasShownChangesNothing() {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);
        ring.descriptor(0, Rings.DATA, 8, RingBytes.NEXT, 1);
        ring.descriptor(1, Rings.DATA + 8, 8, 0, 0);
        ring.offer(0);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        device.poll();
        ChainCursor chain = device.chain();
        chain.next();
        ring.descriptor(0, -1, 0, RingBytes.WRITE | RingBytes.INDIRECT, 77);

        boolean writable = chain.isWritable();

        assertEquals(Rings.DATA, chain.gpa());
        assertEquals(8, chain.length());
        assertEquals(false, writable);
        assertEquals(ChainCursor.ELEMENT, chain.next());
        assertEquals(Rings.DATA + 8, chain.gpa());
    }

    @Test
    void anElementAcrossAHoleIsOutsideRam() {
        GuestRam ram = Rings.ram(GuestRam.Kind.WITH_HOLE);
        RingBytes ring = Rings.ring(ram, 4);
        ring.descriptor(0, ram.end() - 4096, 3 * 4096, 0, 0);
        ring.offer(0);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);

        drain(device);

        assertEquals(QueueFault.ELEMENT_OUTSIDE_RAM, device.fault());
    }

    /** avail.idx goes back while the device still has entries of the earlier look. */
    @Test
    void findsAnIndexThatWentBackBehindWhatWasTaken() {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);
        ring.descriptor(0, Rings.DATA, 8, 0, 0);
        ring.descriptor(1, Rings.DATA, 8, 0, 0);
        ring.offer(0);
        ring.offer(1);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        drain(device);
        ring.availableIdx(1);

        int next = device.poll();

        assertEquals(DeviceQueue.FAULT, next);
        assertEquals(QueueFault.AVAILABLE_INDEX_JUMP, device.fault());
    }

    /** The device would return it twice, for two entries of the used ring. */
    @Test
    void findsAHeadThatIsOfferedWhileItIsOut() {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);
        ring.descriptor(2, Rings.DATA, 8, 0, 0);
        ring.offer(2);
        ring.offer(2);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        device.poll();

        int second = device.poll();

        assertEquals(DeviceQueue.FAULT, second);
        assertEquals(QueueFault.HEAD_IN_USE, device.fault());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 64, 128})
    void takesAHeadAgainThatItHasReturned(int size) {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), size);
        int head = size - 1;
        ring.descriptor(head, Rings.DATA, 8, 0, 0);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);

        for (int round = 0; round < 3; round++) {
            ring.offer(head);
            assertEquals(DeviceQueue.CHAIN, device.poll());
            assertTrue(device.isOut(head));
            device.complete(head, 0);
            device.publish();
        }

        assertFalse(device.isOut(head));
        assertEquals(3, ring.usedIdx());
    }

    /** Unpublished buffers count: the driver cannot have got their room back. */
    @Test
    void findsAnIndexThatRunsOverBuffersStillInWork() {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);
        for (int head = 0; head < 4; head++) {
            ring.descriptor(head, Rings.DATA, 8, 0, 0);
            ring.offer(head);
        }
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        drain(device);
        device.complete(0, 0);
        ring.availableIdx(5);

        int next = device.poll();

        assertEquals(DeviceQueue.FAULT, next);
        assertEquals(QueueFault.AVAILABLE_INDEX_JUMP, device.fault());
    }

    @Test
    void armingFindsAnIndexJumpByItself() {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);
        DeviceQueue device = Rings.device(ring, Rings.EVENT);
        ring.availableIdx(9);

        boolean again = device.armAndRecheck();

        assertTrue(again);
        assertEquals(QueueFault.AVAILABLE_INDEX_JUMP, device.fault());
    }
}
