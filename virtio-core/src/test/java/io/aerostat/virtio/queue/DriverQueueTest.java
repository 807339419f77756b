package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.stream.Stream;

/** The driver's side, checked as bytes and answered with bytes. */
final class DriverQueueTest {
    private static final long DATA = Rings.DATA;

    static Stream<GuestRam.Kind> kinds() {
        return Rings.kinds();
    }

    static Stream<Arguments> kindsAndSizes() {
        return Rings.kindsAndSizes(1, 4, 256);
    }

    private static RingBytes ring(GuestRam.Kind kind, int size) {
        return Rings.ring(Rings.ram(kind), size);
    }

    @ParameterizedTest
    @DisplayName("the ring starts zeroed, its surroundings untouched (SPLIT-DRV-23)")
    @MethodSource("kindsAndSizes")
    void zeroesTheRingAndNothingElse(GuestRam.Kind kind, int size) {
        GuestRam ram = Rings.ram(kind);
        ram.fill(ram.base(), ram.length(), 0xA5);
        RingBytes ring = Rings.ring(ram, size);
        byte[] expected = ram.bytes(ram.base(), ram.length());
        QueueAddresses at = ring.addresses();
        zero(expected, at.descriptorTable() - ram.base(), 16 * size);
        zero(expected, at.availableRing() - ram.base(), 6 + 2 * size);
        zero(expected, at.usedRing() - ram.base(), 6 + 8 * size);

        Rings.driver(ring, Rings.BOTH);

        assertArrayEquals(expected, ram.bytes(ram.base(), ram.length()));
    }

    private static void zero(byte[] bytes, long from, int count) {
        Arrays.fill(bytes, (int) from, (int) from + count, (byte) 0);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void offersASingleElementAsBytes(GuestRam.Kind kind) {
        GuestRam ram = Rings.ram(kind);
        // N = 4: table at 0x10000, available ring at 0x10040, used ring at 0x10050.
        QueueAddresses addresses = new QueueAddresses(4, 0x10000, 0x10040, 0x10050);
        DriverQueue driver = new DriverQueue(ram.memory(), addresses, 0, null);

        int head = driver.add(0x12345678, 0x87654321L, true);
        driver.publish();

        byte[] descriptor = {
            0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0x21, 0x43, 0x65, -121, 2, 0, 0, 0
        };
        byte[] available = {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        assertEquals(0, head);
        assertArrayEquals(descriptor, ram.bytes(0x10000, 16));
        assertArrayEquals(available, ram.bytes(0x10040, 14));
    }

    @ParameterizedTest
    @DisplayName("chains: readable first, NEXT on all but the last (SPLIT-DRV-04, SPLIT-DESC-14)")
    @MethodSource("kinds")
    void offersAChainAsBytes(GuestRam.Kind kind) {
        RingBytes ring = ring(kind, 4);
        DriverQueue driver = Rings.driver(ring, 0);
        driver.add(DATA, 1, false);

        int head =
                driver.add(
                        new long[] {0x18000, 0x1FFFF_FFFFL, 0x18100}, new long[] {1, 2, 3}, 1, 2);
        driver.publish();

        assertEquals(1, head);
        assertArrayEquals(
                new byte[] {0, -128, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2, 0}, ring.descriptor(1));
        assertArrayEquals(
                new byte[] {-1, -1, -1, -1, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 3, 0},
                ring.descriptor(2));
        assertArrayEquals(
                new byte[] {0, -127, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0}, ring.descriptor(3));
        assertArrayEquals(
                new byte[] {0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, ring.availableRing());
    }

    @ParameterizedTest
    @DisplayName("several buffers appear by one idx (SPLIT-DRV-30, SPLIT-DRV-32)")
    @MethodSource("kinds")
    void stagesWithoutMovingTheIndex(GuestRam.Kind kind) {
        RingBytes ring = ring(kind, 4);
        DriverQueue driver = Rings.driver(ring, 0);
        driver.add(DATA, 1, false);
        driver.add(DATA, 1, false);
        int before = ring.availableIdx();

        driver.publish();

        assertEquals(0, before);
        assertEquals(2, ring.availableIdx());
        assertEquals(1, ring.availableEntry(1));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void takesBuffersBackFromBytesInAnyOrder(GuestRam.Kind kind) {
        RingBytes ring = ring(kind, 4);
        DriverQueue driver = Rings.driver(ring, 0);
        for (int i = 0; i < 3; i++) {
            driver.add(DATA, 100, true);
        }
        driver.publish();

        ring.giveBack(2, 100);
        ring.giveBack(0, 7);

        assertEquals(2, driver.poll());
        assertEquals(100, driver.usedLength());
        assertEquals(0, driver.poll());
        assertEquals(7, driver.usedLength());
        assertEquals(DriverQueue.NONE, driver.poll());
        assertEquals(1, driver.inFlight());
        assertEquals(3, driver.freeDescriptors());
    }

    @ParameterizedTest
    @DisplayName("entries lie at idx mod N past 65536 (SPLIT-DESC-05, SPLIT-DESC-07)")
    @MethodSource("kindsAndSizes")
    void runsItsIndicesPast65536(GuestRam.Kind kind, int size) {
        RingBytes ring = ring(kind, size);
        DriverQueue driver = Rings.driver(ring, 0);
        for (int count = 0; count < 65536 + 3 * size; count++) {
            int head = driver.add(DATA, 65536 * 3, true);
            driver.publish();
            boolean offered =
                    ring.availableIdx() == (count + 1) % 65536
                            && ring.availableEntry(count % size) == head;
            ring.giveBack(head, count);

            int back = driver.poll();

            boolean right = offered && back == head && driver.usedLength() == count;
            assertTrue(right, "count=" + count);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 256})
    void isFullWhenNoDescriptorIsFree(int size) {
        DriverQueue driver = Rings.driver(ring(GuestRam.Kind.BYTE_ARRAY, size), 0);
        for (int i = 0; i < size; i++) {
            driver.add(DATA, 1, false);
        }

        int head = driver.add(DATA, 1, false);

        assertEquals(DriverQueue.FULL, head);
        assertEquals(size, driver.inFlight());
        assertEquals(0, driver.freeDescriptors());
    }

    @Test
    void aFullQueueLeavesTheRingAlone() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY, 4);
        DriverQueue driver = Rings.driver(ring, 0);
        driver.add(DATA, 1, false);
        driver.add(DATA, 1, false);
        byte[] before = ring.ram().bytes(ring.ram().base(), 4096 * 2);

        int head = driver.add(new long[3], new long[] {1, 1, 1}, 3, 0);
        driver.add(DATA, 1, false);

        assertEquals(DriverQueue.FULL, head);
        assertEquals(1, driver.freeDescriptors());
        assertArrayEquals(before, after(ring, before));
    }

    /** The RAM now, but for what the single buffer that still fitted has changed. */
    private static byte[] after(RingBytes ring, byte[] before) {
        byte[] now = ring.ram().bytes(ring.ram().base(), before.length);
        QueueAddresses at = ring.addresses();
        restore(now, before, at.descriptorTable() + 32 - ring.ram().base(), 16);
        restore(now, before, at.availableRing() + 8 - ring.ram().base(), 2);
        return now;
    }

    private static void restore(byte[] now, byte[] before, long from, int count) {
        System.arraycopy(before, (int) from, now, (int) from, count);
    }

    @Test
    @DisplayName("a chain has 1 to N elements (SPLIT-DRV-12, SPLIT-DESC-14)")
    void refusesAChainOfNoneOrMoreElementsThanTheQueue() {
        DriverQueue driver = Rings.driver(ring(GuestRam.Kind.BYTE_ARRAY, 4), 0);
        long[] five = {1, 1, 1, 1, 1};

        assertThrows(IllegalArgumentException.class, () -> driver.add(five, five, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> driver.add(five, five, 5, 0));
        assertThrows(IllegalArgumentException.class, () -> driver.add(five, five, 2, 3));
        assertThrows(IllegalArgumentException.class, () -> driver.add(five, five, -1, 2));
        assertThrows(IllegalArgumentException.class, () -> driver.add(five, five, 2, -1));
        assertEquals(4, driver.freeDescriptors());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE, 1L << 32, Long.MAX_VALUE})
    void refusesAnElementThatHasNoLe32Length(long length) {
        DriverQueue driver = Rings.driver(ring(GuestRam.Kind.BYTE_ARRAY, 4), 0);
        long[] lengths = {1, length};

        assertThrows(IllegalArgumentException.class, () -> driver.add(DATA, length, false));
        assertThrows(IllegalArgumentException.class, () -> driver.add(new long[2], lengths, 1, 1));
        assertEquals(4, driver.freeDescriptors());
    }

    @ParameterizedTest
    @DisplayName("a chain has at most 2^32 bytes (SPLIT-DRV-06)")
    @CsvSource({"1, true", "2, false"})
    void refusesAChainOfMoreThan2To32Bytes(long rest, boolean fits) {
        DriverQueue driver = Rings.driver(ring(GuestRam.Kind.BYTE_ARRAY, 4), 0);
        long[] lengths = {0xFFFF_FFFFL, rest};

        if (fits) {
            assertEquals(0, driver.add(new long[2], lengths, 2, 0));
        } else {
            assertThrows(
                    IllegalArgumentException.class, () -> driver.add(new long[2], lengths, 2, 0));
        }
    }

    @Test
    void nothingToPublishWantsNoKick() {
        DriverQueue driver = Rings.driver(ring(GuestRam.Kind.BYTE_ARRAY, 4), 0);

        boolean kick = driver.publish();

        assertEquals(false, kick);
    }

    @Test
    @DisplayName("interrupts with nothing to do change nothing (SPLIT-DRV-20)")
    void findsNothingAnyNumberOfTimes() {
        DriverQueue driver = Rings.driver(ring(GuestRam.Kind.BYTE_ARRAY, 4), 0);
        driver.add(DATA, 1, false);
        driver.publish();

        assertEquals(DriverQueue.NONE, driver.poll());
        assertEquals(DriverQueue.NONE, driver.poll());
        assertEquals(1, driver.inFlight());
    }

    @Test
    void refusesAddressesThatAreNoQueue() {
        GuestRam ram = Rings.ram(GuestRam.Kind.BYTE_ARRAY);
        QueueAddresses addresses = new QueueAddresses(4, ram.base() + 8, ram.base(), ram.base());

        assertThrows(
                IllegalArgumentException.class,
                () -> new DriverQueue(ram.memory(), addresses, 0, null));
    }
}
