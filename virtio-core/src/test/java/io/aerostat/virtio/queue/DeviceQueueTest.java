package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.stream.Stream;

/** The device's side, fed with bytes and checked as bytes. */
final class DeviceQueueTest {
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
    @MethodSource("kinds")
    void takesAChainFromItsBytes(GuestRam.Kind kind) {
        GuestRam ram = Rings.ram(kind);
        // N = 4: table at 0x10000, available ring at 0x10040, used ring at 0x10050.
        ram.poke(0x10020, 0x00, 0x80, 0x01, 0, 0, 0, 0, 0, 0x10, 0x00, 0, 0, 1, 0, 1, 0);
        ram.poke(0x10010, 0x00, 0x90, 0x01, 0, 0, 0, 0, 0, 0x00, 0x01, 0, 0, 2, 0, 0, 0);
        ram.poke(0x10040, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        QueueAddresses addresses = new QueueAddresses(4, 0x10000, 0x10040, 0x10050);
        DeviceQueue device = new DeviceQueue(ram.memory(), addresses, Rings.NONE_NEGOTIATED);

        int code = device.poll();
        ChainCursor chain = device.chain();

        assertEquals(DeviceQueue.CHAIN, code);
        assertEquals(2, chain.head());
        assertEquals("element 0x18000 16 read", element(chain));
        assertFalse(chain.isAtLastElement());
        assertEquals("element 0x19000 256 write", element(chain));
        assertTrue(chain.isAtLastElement());
        assertEquals("end", element(chain));
        assertEquals("end", element(chain));
        assertEquals(DeviceQueue.NONE, device.poll());
    }

    private static String element(ChainCursor chain) {
        int code = chain.next();
        if (code != ChainCursor.ELEMENT) {
            return code == ChainCursor.END ? "end" : "fault";
        }
        String way = chain.isWritable() ? "write" : "read";
        return "element 0x" + Long.toHexString(chain.gpa()) + " " + chain.length() + " " + way;
    }

    @ParameterizedTest
    @DisplayName("a returned buffer is le32 id, le32 len, then le16 idx (SPLIT-DESC-06)")
    @MethodSource("kinds")
    void returnsABufferAsBytes(GuestRam.Kind kind) {
        RingBytes ring = ring(kind, 4);
        ring.descriptor(3, DATA, 0x1234, RingBytes.WRITE, 0);
        ring.offer(3);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        device.poll();

        device.complete(3, 0x81020304);
        device.publish();

        byte[] expected = new byte[38];
        expected[2] = 1;
        expected[4] = 3;
        expected[8] = 4;
        expected[9] = 3;
        expected[10] = 2;
        expected[11] = (byte) 0x81;
        assertArrayEquals(expected, ring.usedRing());
    }

    @ParameterizedTest
    @DisplayName("id and len are written whole, over whatever was there (SPLIT-DESC-06)")
    @MethodSource("kinds")
    void overwritesJunkInTheUsedElement(GuestRam.Kind kind) {
        RingBytes ring = ring(kind, 4);
        ring.descriptor(2, DATA, 8, 0, 0);
        ring.offer(2);
        ring.usedElement(0, -1, -1);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        device.poll();

        device.complete(2, 0);
        device.publish();

        assertEquals("2 0", ring.usedId(0) + " " + ring.usedLength(0));
    }

    @ParameterizedTest
    @DisplayName("nothing is visible before publish: used.idx moves last (SPLIT-DEV-15)")
    @MethodSource("kinds")
    void stagesWithoutMovingTheIndex(GuestRam.Kind kind) {
        RingBytes ring = ring(kind, 4);
        ring.descriptor(0, DATA, 8, 0, 0);
        ring.offer(0);
        ring.offer(0);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        device.poll();
        device.complete(0, 0);
        device.poll();
        device.complete(0, 0);
        int before = ring.usedIdx();

        device.publish();

        assertEquals(0, before);
        assertEquals(2, ring.usedIdx());
    }

    @ParameterizedTest
    @DisplayName("buffers may come back in any order (VQ-DESC-03)")
    @MethodSource("kinds")
    void returnsBuffersInTheOrderOfCompletion(GuestRam.Kind kind) {
        RingBytes ring = ring(kind, 4);
        for (int head = 0; head < 4; head++) {
            ring.descriptor(head, DATA, 8, RingBytes.WRITE, 0);
            ring.offer(head);
        }
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        for (int i = 0; i < 4; i++) {
            device.poll();
        }

        for (int head : new int[] {2, 0, 3, 1}) {
            device.complete(head, head + 1);
        }
        device.publish();

        int[] ids = {ring.usedId(0), ring.usedId(1), ring.usedId(2), ring.usedId(3)};
        int[] lengths = {
            ring.usedLength(0), ring.usedLength(1), ring.usedLength(2), ring.usedLength(3)
        };
        assertArrayEquals(new int[] {2, 0, 3, 1}, ids);
        assertArrayEquals(new int[] {3, 1, 4, 2}, lengths);
    }

    @ParameterizedTest
    @DisplayName("available entries lie at idx mod N past 65536 (SPLIT-DESC-05, SPLIT-DESC-07)")
    @MethodSource("kindsAndSizes")
    void runsItsIndicesPast65536(GuestRam.Kind kind, int size) {
        RingBytes ring = ring(kind, size);
        for (int i = 0; i < size; i++) {
            ring.descriptor(i, DATA, 8, 0, 0);
        }
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);
        for (int count = 0; count < 65536 + 3 * size; count++) {
            int head = count * 7 % size;
            ring.offer(head);

            int code = device.poll();
            device.complete(device.chain().head(), count);
            device.publish();

            int slot = count % size;
            boolean right =
                    code == DeviceQueue.CHAIN
                            && ring.usedId(slot) == head
                            && ring.usedLength(slot) == count
                            && ring.usedIdx() == (count + 1) % 65536;
            assertTrue(right, "count=" + count);
        }
    }

    @ParameterizedTest
    @MethodSource("kindsAndSizes")
    void takesAWholeRingAtOnceAcrossTheWrap(GuestRam.Kind kind, int size) {
        RingBytes ring = ring(kind, size);
        for (int i = 0; i < size; i++) {
            ring.descriptor(i, DATA, 8, 0, 0);
            ring.availableEntry(i, size - 1 - i);
        }
        DeviceQueue device = Rings.device(ring, Rings.EVENT);
        int taken = 0;
        for (int round = 1; round <= 65536 / size + 3; round++) {
            ring.availableIdx(round * size);
            while (device.poll() == DeviceQueue.CHAIN) {
                assertEquals(size - 1 - taken % size, device.chain().head());
                device.complete(device.chain().head(), 0);
                taken++;
            }
            device.publish();
        }

        assertNull(device.fault());
        assertEquals((65536 / size + 3) * size, taken);
    }

    /** Full load, direct, indirect and hostile last, with junk all round the three parts. */
    @ParameterizedTest
    @DisplayName("writes nothing but the used ring (SPLIT-DEV-06, SPLIT-DESC-02, SPLIT-DEV-03)")
    @MethodSource("kindsAndSizes")
    void writesNothingButTheUsedRing(GuestRam.Kind kind, int size) {
        GuestRam ram = Rings.ram(kind);
        ram.fill(ram.base(), ram.length(), 0xA5);
        RingBytes ring = Rings.ring(ram, size);
        ring.availableIdx(0);
        QueueAddresses at = ring.addresses();
        ram.fill(at.usedRing(), 6 + 8L * size, 0);
        for (int i = 0; i < size; i++) {
            ring.descriptor(i, DATA, 8, i % 2 == 0 ? 0 : RingBytes.WRITE, 0);
        }
        DeviceQueue device = Rings.device(ring, Rings.BOTH);
        for (int count = 0; count < 2 * size; count++) {
            ring.offer(count % size);
        }
        ring.availableIdx(size);
        byte[] before = ram.bytes(ram.base(), ram.length());

        while (device.poll() == DeviceQueue.CHAIN) {
            device.chain().next();
            device.complete(device.chain().head(), -1);
        }
        device.disarm();
        device.publish();
        device.armAndRecheck();

        byte[] after = ram.bytes(ram.base(), ram.length());
        int usedStart = (int) (at.usedRing() - ram.base());
        Arrays.fill(before, usedStart, usedStart + 6 + 8 * size, (byte) 0);
        Arrays.fill(after, usedStart, usedStart + 6 + 8 * size, (byte) 0);
        assertEquals(-1, Arrays.mismatch(before, after));
        assertEquals(size, ring.usedIdx());
    }

    @Test
    @DisplayName("a kick with nothing to do changes nothing (SPLIT-DEV-22)")
    void findsNothingOnAnEmptyRingAnyNumberOfTimes() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY, 4);
        DeviceQueue device = Rings.device(ring, Rings.NONE_NEGOTIATED);

        int codes = device.poll() + device.poll() + device.poll();

        assertEquals(0, codes);
        assertArrayEquals(new byte[38], ring.usedRing());
    }

    @Test
    void refusesToReturnWhatItNeverTook() {
        DeviceQueue device = Rings.device(ring(GuestRam.Kind.BYTE_ARRAY, 4), 0);

        assertThrows(IllegalStateException.class, () -> device.complete(0, 0));
    }

    @Test
    void refusesToReturnOneBufferForAnother() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY, 4);
        ring.offer(0);
        ring.offer(1);
        DeviceQueue device = Rings.device(ring, 0);
        device.poll();
        device.poll();
        device.complete(1, 0);

        assertThrows(IllegalStateException.class, () -> device.complete(1, 0));
        assertThrows(IllegalStateException.class, () -> device.complete(-1, 0));
        assertThrows(IllegalStateException.class, () -> device.complete(4, 0));
        assertThrows(IllegalStateException.class, () -> device.complete(64, 0));
        assertTrue(device.isOut(0));
    }

    @Test
    void refusesToReturnMoreThanItTook() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY, 4);
        ring.descriptor(0, DATA, 8, 0, 0);
        ring.offer(0);
        DeviceQueue device = Rings.device(ring, 0);
        device.poll();
        device.complete(0, 0);
        device.publish();

        assertThrows(IllegalStateException.class, () -> device.complete(0, 0));
    }

    @Test
    void aChainMayRestWhileOthersArePublished() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY, 4);
        ring.descriptor(0, DATA, 8, 0, 0);
        ring.descriptor(1, DATA, 8, RingBytes.NEXT, 2);
        ring.descriptor(2, DATA + 8, 8, 0, 0);
        ring.offer(0);
        ring.offer(1);
        DeviceQueue device = Rings.device(ring, 0);
        device.poll();
        device.complete(device.chain().head(), 0);
        device.poll();
        device.chain().next();

        device.publish();
        device.armAndRecheck();

        assertEquals(1, device.chain().head());
        assertEquals("element 0x18008 8 read", element(device.chain()));
    }

    @Test
    @DisplayName("a device reads no entry before avail.idx says so (SPLIT-DEV-23)")
    void ignoresEntriesAheadOfTheIndex() {
        RingBytes ring = ring(GuestRam.Kind.BYTE_ARRAY, 4);
        ring.availableEntry(0, 60000);

        DeviceQueue device = Rings.device(ring, 0);

        assertEquals(DeviceQueue.NONE, device.poll());
        assertNull(device.fault());
    }

    @Test
    void refusesAddressesThatAreNoQueue() {
        GuestRam ram = Rings.ram(GuestRam.Kind.BYTE_ARRAY);
        QueueAddresses addresses = new QueueAddresses(3, ram.base(), ram.base(), ram.base());

        assertThrows(
                IllegalArgumentException.class,
                () -> new DeviceQueue(ram.memory(), addresses, Rings.EVENT));
    }
}
