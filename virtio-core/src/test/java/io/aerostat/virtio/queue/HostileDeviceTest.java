package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

/** Every fault that a device can leave in a used ring, on every kind of RAM. */
final class HostileDeviceTest {
    static Stream<GuestRam.Kind> kinds() {
        return Rings.kinds();
    }

    /** Two buffers are out: head 0 lets the device write 100 bytes, head 1 none. */
    private static DriverQueue driver(RingBytes ring) {
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        driver.add(Rings.DATA, 100, true);
        driver.add(Rings.DATA, 100, false);
        driver.publish();
        return driver;
    }

    private static RingBytes ring(GuestRam.Kind kind) {
        return Rings.ring(Rings.ram(kind), 4);
    }

    static Stream<Arguments> kindsAndJumps() {
        return kinds().flatMap(
                        kind ->
                                Stream.of(3, 4, 5, 32768, 65535)
                                        .map(idx -> Arguments.of(kind, idx)));
    }

    @ParameterizedTest
    @MethodSource("kindsAndJumps")
    void findsAUsedIndexPastWhatIsInFlight(GuestRam.Kind kind, int idx) {
        RingBytes ring = ring(kind);
        DriverQueue driver = driver(ring);
        ring.usedIdx(idx);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(QueueFault.USED_INDEX_JUMP, driver.fault());
    }

    static Stream<Arguments> kindsAndIds() {
        return kinds().flatMap(
                        kind ->
                                Stream.of(
                                                2,
                                                3,
                                                4,
                                                65535,
                                                65536,
                                                1 << 30,
                                                -1,
                                                Integer.MIN_VALUE,
                                                0x8000_0001)
                                        .map(id -> Arguments.of(kind, id)));
    }

    @ParameterizedTest
    @MethodSource("kindsAndIds")
    void findsAnIdThatIsNotInFlight(GuestRam.Kind kind, int id) {
        RingBytes ring = ring(kind);
        DriverQueue driver = driver(ring);
        ring.giveBack(id, 0);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(QueueFault.USED_ID_NOT_IN_FLIGHT, driver.fault());
    }

    static Stream<Arguments> kindsAndLengths() {
        return kinds().flatMap(
                        kind ->
                                Stream.of(101, -1, Integer.MIN_VALUE)
                                        .map(length -> Arguments.of(kind, length)));
    }

    @ParameterizedTest
    @MethodSource("kindsAndLengths")
    void findsALengthThatTheBufferDoesNotHave(GuestRam.Kind kind, int length) {
        RingBytes ring = ring(kind);
        DriverQueue driver = driver(ring);
        ring.giveBack(0, length);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(QueueFault.USED_LENGTH_TOO_LONG, driver.fault());
    }

    @ParameterizedTest
    @MethodSource("kindsAndLengths")
    void takesAReadableBufferBackWhateverItsLengthIsSaidToBe(GuestRam.Kind kind, int length) {
        RingBytes ring = ring(kind);
        DriverQueue driver = driver(ring);
        ring.giveBack(1, length);

        int head = driver.poll();

        assertEquals(1, head);
        assertEquals(0, driver.usedLength());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void findsABufferReturnedTwice(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        DriverQueue driver = driver(ring);
        ring.giveBack(1, 0);
        ring.giveBack(1, 0);

        int first = driver.poll();
        int second = driver.poll();

        assertEquals(1, first);
        assertEquals(DriverQueue.FAULT, second);
        assertEquals(QueueFault.USED_ID_NOT_IN_FLIGHT, driver.fault());
    }

    /** The id of a descriptor in the middle of a chain is no buffer. */
    @ParameterizedTest
    @MethodSource("kinds")
    void findsAnIdInsideAChain(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        DriverQueue driver = Rings.driver(ring, 0);
        driver.add(new long[3], new long[] {1, 1, 1}, 3, 0);
        driver.publish();
        ring.giveBack(1, 0);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(QueueFault.USED_ID_NOT_IN_FLIGHT, driver.fault());
    }

    @Test
    void findsAUsedBufferBeforeAnyWasPublished() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DriverQueue driver = Rings.driver(ring, 0);
        driver.add(Rings.DATA, 1, false);
        ring.giveBack(0, 0);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(QueueFault.USED_INDEX_JUMP, driver.fault());
    }

    /** Two buffers wait to be published across the wrap; none is with the device. */
    @Test
    void findsAUsedIndexJumpWhileStagedBuffersWrap() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DriverQueue driver = Rings.driver(ring, 0);
        for (int count = 0; count < 65535; count++) {
            ring.giveBack(publishOne(driver), 0);
            driver.poll();
        }
        driver.add(Rings.DATA, 1, false);
        driver.add(Rings.DATA, 1, false);
        ring.usedIdx(0);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(QueueFault.USED_INDEX_JUMP, driver.fault());
    }

    private static int publishOne(DriverQueue driver) {
        int head = driver.add(Rings.DATA, 1, false);
        driver.publish();
        return head;
    }

    @Test
    void staysStoppedWhenTheDeviceRepairsTheRing() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        DriverQueue driver = driver(ring);
        ring.giveBack(7, 0);
        driver.poll();
        ring.usedElement(0, 0, 0);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(2, driver.inFlight());
    }

    /** What a device wrote over the driver's own parts is not believed. */
    @ParameterizedTest
    @MethodSource("kinds")
    void trustsNothingThatADeviceCouldHaveWritten(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        GuestRam ram = ring.ram();
        DriverQueue driver = Rings.driver(ring, 0);
        driver.add(new long[2], new long[] {1, 1}, 2, 0);
        driver.add(Rings.DATA, 1, false);
        driver.publish();
        QueueAddresses at = ring.addresses();
        ram.fill(at.descriptorTable(), at.usedRing() - at.descriptorTable(), 0xFF);
        ring.giveBack(2, 0);
        ring.giveBack(0, 0);

        int[] heads = {driver.poll(), driver.poll(), driver.poll()};

        assertArrayEquals(new int[] {2, 0, DriverQueue.NONE}, heads);
        assertEquals(4, driver.freeDescriptors());
    }
}
