package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;

/** RAM that comes and goes: what windows on it see, and what the table says. */
final class DetachTest {
    private static final int PAGE = 4096;
    private static final long BASE = GuestRam.DEFAULT_BASE;

    static Stream<GuestRam.Kind> kinds() {
        return GuestRam.kinds();
    }

    private static GuestRam filled(GuestRam.Kind kind) {
        GuestRam ram = GuestRam.of(kind, 20 * PAGE);
        ram.fill(BASE, ram.length(), 0x5A);
        return ram;
    }

    private static void detachAll(GuestMemory memory) {
        for (RamRegion region : memory.regions()) {
            memory.detach(region);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWindowReadsZerosOnceItsRamIsDetached(GuestRam.Kind kind) {
        GuestRam ram = filled(kind);
        RamAccess window = RamAccess.of(ram.memory(), BASE, 2 * PAGE);
        int[] copy = {1, 1, 1};

        detachAll(ram.memory());
        window.getInts(PAGE - 4, copy, 0, 3);

        assertEquals(0, window.getByte(7));
        assertEquals(0, window.getUnsignedShort(8));
        assertEquals(0, window.getInt(PAGE - 2));
        assertEquals(0, window.getLong(PAGE));
        assertArrayEquals(new int[3], copy);
        assertFalse(window.isRam());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWindowWritesNothingOnceItsRamIsDetached(GuestRam.Kind kind) {
        GuestRam ram = filled(kind);
        RamAccess window = RamAccess.of(ram.memory(), BASE, 2 * PAGE);

        detachAll(ram.memory());
        window.putByte(1, (byte) 1);
        window.putShort(2, 1);
        window.putInt(PAGE - 2, 1);
        window.putLong(PAGE, 1);
        window.putInts(16, new int[] {1, 2, 3}, 0, 3);
        window.fill(100, PAGE, (byte) 1);

        byte[] untouched = new byte[2 * PAGE];
        Arrays.fill(untouched, (byte) 0x5A);
        assertArrayEquals(untouched, ram.bytes(BASE, 2 * PAGE));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWindowFindsTheRamThatIsAttachedInItsPlace(GuestRam.Kind kind) {
        GuestRam ram = filled(kind);
        RamAccess window = RamAccess.of(ram.memory(), BASE, 2 * PAGE);
        detachAll(ram.memory());
        GuestRam other = GuestRam.of(kind, 20 * PAGE);
        other.putLe32(BASE + 8, 0xCAFE);

        other.memory().regions().forEach(ram.memory()::attach);

        assertEquals(0xCAFE, window.getInt(8));
        window.putInt(12, 0xF00D);
        window.putLong(PAGE, 0xF00D);
        assertEquals(0xF00D, other.le32(BASE + 12));
        assertEquals(0xF00D, other.le64(BASE + PAGE));
        assertEquals(0x5A5A5A5A, ram.le32(BASE + 12));
        assertTrue(window.isRam());
    }

    @Test
    void ofAWindowOnTwoRegionsTheOtherHalfIsStillThere() {
        GuestRam ram = filled(GuestRam.Kind.ADJACENT_REGIONS);
        RamAccess window = RamAccess.of(ram.memory(), BASE, 2 * PAGE);

        ram.memory().detach(ram.memory().region(1));

        assertEquals(0x5A5A5A5A, window.getInt(PAGE - 4));
        assertEquals(0x00005A5A, window.getInt(PAGE - 2));
        assertEquals(0, window.getInt(PAGE));
        assertFalse(window.isRam());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void whatIsDetachedIsNotRamAndCannotBeMapped(GuestRam.Kind kind) {
        GuestRam ram = filled(kind);
        GuestMemory memory = ram.memory();
        long bytes = memory.bytes();

        detachAll(memory);

        assertFalse(memory.contains(BASE, 1));
        assertFalse(memory.contains(BASE, 0));
        assertEquals(0, memory.contiguousFrom(BASE, PAGE));
        assertFalse(new RamAccess(memory).map(BASE, 1));
        assertFalse(new RamAccess(memory).map(BASE, 2 * PAGE));
        assertEquals(bytes, memory.bytes());
    }

    @Test
    void aRangeEndsWhereRamIsDetached() {
        GuestMemory memory = filled(GuestRam.Kind.ADJACENT_REGIONS).memory();

        memory.detach(memory.region(2));

        assertEquals(2 * PAGE, memory.contiguousFrom(BASE, 5 * PAGE));
        assertTrue(memory.contains(BASE, 2 * PAGE));
        assertFalse(memory.contains(BASE, 2 * PAGE + 1));
        assertTrue(memory.contains(BASE + 3 * PAGE, PAGE));
    }

    @Test
    void anAbsentRegionIsRamOnceItIsAttached() {
        RamRegion low = RamRegion.ofArray(0, new byte[PAGE]);
        GuestMemory memory = GuestMemory.of(low, RamRegion.absent(PAGE, PAGE));
        int changes = memory.changes();
        RamRegion high = RamRegion.ofArray(PAGE, new byte[PAGE]);

        assertFalse(memory.contains(0, 2 * PAGE));
        memory.attach(high);

        assertTrue(memory.contains(0, 2 * PAGE));
        assertEquals(2 * PAGE, memory.bytes());
        assertEquals(changes + 1, memory.changes());
        assertEquals(high, memory.region(1));
    }

    @Test
    void tellsWhereRamCanBe() {
        GuestMemory memory =
                GuestMemory.of(
                        RamRegion.absent(PAGE, PAGE),
                        RamRegion.ofArray(2 * PAGE, new byte[PAGE]),
                        RamRegion.absent(4 * PAGE, PAGE));

        assertTrue(memory.hasPlaceFor(PAGE, 2 * PAGE));
        assertTrue(memory.hasPlaceFor(PAGE + 1, 2 * PAGE - 1));
        assertFalse(memory.hasPlaceFor(PAGE, 2 * PAGE + 1));
        assertFalse(memory.hasPlaceFor(PAGE, 4 * PAGE));
        assertFalse(memory.hasPlaceFor(PAGE - 1, 2));
        assertFalse(memory.hasPlaceFor(PAGE, -1));
        assertFalse(memory.hasPlaceFor(-1, Long.MAX_VALUE));
    }

    @Test
    void refusesToAttachWhereThereIsNoPlaceForIt() {
        GuestMemory memory = GuestMemory.of(RamRegion.absent(PAGE, 2 * PAGE));

        assertRefused(memory, RamRegion.ofArray(0, new byte[PAGE]));
        assertRefused(memory, RamRegion.ofArray(PAGE, new byte[PAGE]));
        assertRefused(memory, RamRegion.ofArray(2 * PAGE, new byte[PAGE]));
        assertRefused(memory, RamRegion.ofArray(PAGE, new byte[3 * PAGE]));
        assertRefused(memory, RamRegion.absent(PAGE, 2 * PAGE));
        assertFalse(memory.contains(PAGE, 1));
    }

    private static void assertRefused(GuestMemory memory, RamRegion region) {
        assertThrows(IllegalArgumentException.class, () -> memory.attach(region));
    }

    @Test
    void refusesToAttachOverRamAndToDetachWhatIsNotThere() {
        RamRegion there = RamRegion.ofArray(0, new byte[PAGE]);
        GuestMemory memory = GuestMemory.of(there);
        RamRegion other = RamRegion.ofArray(0, new byte[PAGE]);

        assertThrows(IllegalStateException.class, () -> memory.attach(other));
        assertThrows(IllegalArgumentException.class, () -> memory.detach(other));

        assertTrue(other.isAttached());
        assertTrue(memory.contains(0, PAGE));
    }

    @Test
    void aDetachedRegionNeverComesBack() {
        RamRegion region = RamRegion.ofArray(0, new byte[PAGE]);
        GuestMemory memory = GuestMemory.of(region);

        memory.detach(region);

        assertFalse(region.isAttached());
        assertEquals(0, region.hostAddress());
        assertNull(region.buffer());
        assertThrows(IllegalArgumentException.class, () -> memory.attach(region));
    }

    @Test
    void aDetachedRegionHoldsItsBufferNoMore() throws InterruptedException {
        RamRegion region = RamRegion.ofBuffer(0, ByteBuffer.allocateDirect(PAGE));
        WeakReference<ByteBuffer> buffer = new WeakReference<>(region.buffer());
        GuestMemory memory = GuestMemory.of(region);
        RamAccess window = RamAccess.of(memory, 0, PAGE);

        memory.detach(region);

        for (int i = 0; buffer.get() != null && i < 100; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertNull(buffer.get());
        assertEquals(PAGE, window.length());
    }
}
