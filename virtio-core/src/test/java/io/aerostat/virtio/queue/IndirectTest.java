package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Indirect descriptors (VIRTIO 1.4, 2.7.5.3), both sides. */
final class IndirectTest {
    private static final long DATA = Rings.DATA;

    /**
     * Eight bytes before an edge of two regions would do; 16 is what a table's alignment allows.
     */
    private static final long TABLE = DATA + 2 * GuestRam.PAGE - 16;

    static Stream<GuestRam.Kind> kinds() {
        return Rings.kinds();
    }

    static Stream<Arguments> kindsAndDirectElements() {
        return kinds().flatMap(kind -> IntStream.range(0, 4).mapToObj(k -> Arguments.of(kind, k)));
    }

    private static RingBytes ring(GuestRam.Kind kind) {
        return Rings.ring(Rings.ram(kind), 4);
    }

    private static List<String> walk(DeviceQueue device) {
        List<String> elements = new ArrayList<>();
        assertEquals(DeviceQueue.CHAIN, device.poll());
        ChainCursor chain = device.chain();
        while (chain.next() == ChainCursor.ELEMENT) {
            String last = chain.isAtLastElement() ? "." : "";
            String way = chain.isWritable() ? "w" : "r";
            elements.add(way + (chain.gpa() - DATA) + "+" + chain.length() + last);
        }
        assertNull(chain.fault());
        return elements;
    }

    @ParameterizedTest
    @DisplayName("k direct descriptors, then an indirect one (SPLIT-DEV-08)")
    @MethodSource("kindsAndDirectElements")
    void walksDirectDescriptorsThenATable(GuestRam.Kind kind, int direct) {
        RingBytes ring = ring(kind);
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < direct; i++) {
            ring.descriptor(i, DATA + i, 1, RingBytes.NEXT, i + 1);
            expected.add("r" + i + "+1");
        }
        ring.descriptor(direct, TABLE, 32, RingBytes.INDIRECT, 60000);
        RingBytes.descriptorAt(ring.ram(), TABLE, DATA + 100, 5, RingBytes.NEXT, 1);
        RingBytes.descriptorAt(ring.ram(), TABLE + 16, DATA + 200, 6, RingBytes.WRITE, 77);
        expected.add("r100+5");
        expected.add("w200+6.");
        ring.offer(0);

        List<String> elements = walk(Rings.device(ring, Rings.INDIRECT));

        assertEquals(expected, elements);
    }

    @ParameterizedTest
    @DisplayName("WRITE on the pointing descriptor means nothing (SPLIT-DEV-07)")
    @MethodSource("kinds")
    void ignoresWriteOnThePointingDescriptor(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        ring.descriptor(0, TABLE, 16, RingBytes.INDIRECT | RingBytes.WRITE, 0);
        RingBytes.descriptorAt(ring.ram(), TABLE, DATA, 5, 0, 0);
        ring.offer(0);

        List<String> elements = walk(Rings.device(ring, Rings.INDIRECT));

        assertEquals(List.of("r0+5."), elements);
    }

    @ParameterizedTest
    @DisplayName("a table is linked by next, whatever the order (SPLIT-DESC-04)")
    @MethodSource("kinds")
    void followsAShuffledTable(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        ring.descriptor(2, TABLE, 64, RingBytes.INDIRECT, 0);
        GuestRam ram = ring.ram();
        RingBytes.descriptorAt(ram, TABLE, DATA, 1, RingBytes.NEXT, 3);
        RingBytes.descriptorAt(ram, TABLE + 48, DATA + 3, 4, RingBytes.NEXT | RingBytes.WRITE, 1);
        RingBytes.descriptorAt(ram, TABLE + 16, DATA + 1, 2, RingBytes.WRITE, 2);
        RingBytes.descriptorAt(ram, TABLE + 32, -1, 0, RingBytes.INDIRECT | RingBytes.NEXT, 99);
        ring.offer(2);

        List<String> elements = walk(Rings.device(ring, Rings.INDIRECT));

        assertEquals(List.of("r0+1", "w3+4", "w1+2."), elements);
    }

    @ParameterizedTest
    @DisplayName("a table may be longer than the queue, up to the cap")
    @ValueSource(ints = {1, 5, 1024})
    void walksATableUpToTheCap(int entries) {
        RingBytes ring = ring(GuestRam.Kind.ADJACENT_REGIONS);
        ring.descriptor(0, DATA, 16L * entries, RingBytes.INDIRECT, 0);
        for (int i = 0; i < entries; i++) {
            int flags = i < entries - 1 ? RingBytes.NEXT : 0;
            RingBytes.descriptorAt(ring.ram(), DATA + 16L * i, DATA + i, 1, flags, i + 1);
        }
        ring.offer(0);

        List<String> elements = walk(Rings.device(ring, Rings.INDIRECT));

        assertEquals(entries, elements.size());
        assertEquals("r" + (entries - 1) + "+1.", elements.get(entries - 1));
    }

    @Test
    void theNextChainStartsInTheQueuesOwnTableAgain() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        ring.descriptor(0, TABLE, 16, RingBytes.INDIRECT, 0);
        RingBytes.descriptorAt(ring.ram(), TABLE, DATA, 5, RingBytes.WRITE, 0);
        ring.descriptor(1, DATA + 8, 8, RingBytes.NEXT, 2);
        ring.descriptor(2, DATA + 16, 8, 0, 0);
        ring.offer(0);
        ring.offer(1);
        DeviceQueue device = Rings.device(ring, Rings.INDIRECT);
        walk(device);

        List<String> elements = walk(device);

        assertEquals(List.of("r8+8", "r16+8."), elements);
    }

    @ParameterizedTest
    @DisplayName("the driver's table: entries in order, one ring descriptor (SPLIT-DRV-11, -13)")
    @MethodSource("kinds")
    void driverWritesATableAsBytes(GuestRam.Kind kind) {
        RingBytes ring = ring(kind);
        GuestRam ram = ring.ram();
        IndirectTables tables = new IndirectTables(ram.memory(), TABLE, 4, 3);
        DriverQueue driver =
                new DriverQueue(ram.memory(), ring.addresses(), Rings.INDIRECT, tables);
        driver.add(DATA, 1, false);

        int head = driver.add(new long[] {1, 2, 3}, new long[] {4, 5, 6}, 2, 1);

        assertEquals(1, head);
        assertArrayEquals(
                new byte[] {0x20, -96, 1, 0, 0, 0, 0, 0, 48, 0, 0, 0, 4, 0, 0, 0},
                ring.descriptor(1));
        assertArrayEquals(
                new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 1, 0},
                ram.bytes(0x1A020, 16));
        assertArrayEquals(
                new byte[] {2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 2, 0},
                ram.bytes(0x1A030, 16));
        assertArrayEquals(
                new byte[] {3, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0},
                ram.bytes(0x1A040, 16));
    }

    @Test
    @DisplayName("no INDIRECT flag without INDIRECT_DESC (SPLIT-DRV-10)")
    void driverUsesNoTableUnlessNegotiated() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        IndirectTables tables = new IndirectTables(ring.ram().memory(), TABLE, 4, 4);
        DriverQueue driver =
                new DriverQueue(ring.ram().memory(), ring.addresses(), Rings.EVENT, tables);

        driver.add(new long[2], new long[] {1, 1}, 2, 0);

        assertEquals(1, ring.descriptor(0)[12]);
        assertEquals(2, driver.freeDescriptors());
    }

    @Test
    @DisplayName("no more descriptors than needed: one element goes direct (SPLIT-DRV-05)")
    void driverUsesNoTableForOneElementOrForTooMany() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        IndirectTables tables = new IndirectTables(ring.ram().memory(), TABLE, 4, 2);
        DriverQueue driver =
                new DriverQueue(ring.ram().memory(), ring.addresses(), Rings.INDIRECT, tables);

        driver.add(new long[1], new long[] {1}, 1, 0);
        driver.add(new long[3], new long[] {1, 1, 1}, 3, 0);

        int[] flags = {ring.descriptor(0)[12], ring.descriptor(1)[12], ring.descriptor(3)[12]};
        assertArrayEquals(new int[] {0, 1, 0}, flags);
        assertEquals(0, driver.freeDescriptors());
    }

    @Test
    void aFullQueueOfTablesComesBackWhole() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY);
        IndirectTables tables = new IndirectTables(ring.ram().memory(), TABLE, 4, 2);
        DriverQueue driver =
                new DriverQueue(ring.ram().memory(), ring.addresses(), Rings.INDIRECT, tables);
        long[] two = {8, 9};
        for (int i = 0; i < 4; i++) {
            driver.add(two, two, 1, 1);
        }
        int full = driver.add(two, two, 1, 1);
        driver.publish();
        for (int head : new int[] {3, 0, 2, 1}) {
            ring.giveBack(head, 9);
            driver.poll();
        }

        assertEquals(DriverQueue.FULL, full);
        assertEquals(4, driver.freeDescriptors());
        assertNull(driver.fault());
    }

    @ParameterizedTest
    @ValueSource(longs = {0x10001, 0x1fff8, 0x1fff0, 0, -16})
    void refusesTablesWithoutRoom(long gpa) {
        GuestRam ram = Rings.ram(GuestRam.Kind.BYTE_ARRAY);

        assertThrows(
                IllegalArgumentException.class, () -> new IndirectTables(ram.memory(), gpa, 4, 4));
    }

    @Test
    void tellsTheRoomThatTablesTake() {
        assertEquals(16 * 256 * 4, IndirectTables.bytes(256, 4));
        assertEquals(16L * 32768 * 32768, IndirectTables.bytes(32768, 32768));
    }
}
