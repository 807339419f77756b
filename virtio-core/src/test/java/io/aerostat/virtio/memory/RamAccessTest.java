package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Every access on every kind of RAM, at, around and over the edge of two adjacent regions. */
final class RamAccessTest {
    private static final int PAGE = 4096;

    /** Window offsets: aligned, odd, over the edge at each of its bytes, last in the window. */
    private static final List<Long> OFFSETS =
            List.of(0L, 1L, 3L, 2040L, 4088L, 4089L, 4091L, 4093L, 4095L, 4096L, 4097L, 8184L);

    static Stream<GuestRam.Kind> kinds() {
        return GuestRam.kinds();
    }

    static Stream<Arguments> kindsAndOffsets() {
        return kinds().flatMap(kind -> OFFSETS.stream().map(at -> Arguments.of(kind, at)));
    }

    /** A window of two pages, the second one in another region where there are several. */
    private static RamAccess twoPages(GuestRam ram) {
        return RamAccess.of(ram.memory(), ram.base(), 2 * PAGE);
    }

    private static GuestRam ram(GuestRam.Kind kind) {
        GuestRam ram = GuestRam.of(kind, 4 * PAGE);
        ram.fill(ram.base(), ram.length(), 0xEE);
        return ram;
    }

    @ParameterizedTest
    @MethodSource("kindsAndOffsets")
    void readsLittleEndianBytes(GuestRam.Kind kind, long offset) {
        GuestRam ram = ram(kind);
        ram.poke(ram.base() + offset, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF);

        RamAccess window = twoPages(ram);

        assertEquals((byte) 0x88, window.getByte(offset));
        assertEquals(0x9988, window.getUnsignedShort(offset));
        assertEquals(0xBBAA9988, window.getInt(offset));
        assertEquals(0xFFEEDDCC_BBAA9988L, window.getLong(offset));
    }

    @ParameterizedTest
    @MethodSource("kindsAndOffsets")
    void storesAByteAndNothingElse(GuestRam.Kind kind, long offset) {
        GuestRam ram = ram(kind);

        twoPages(ram).putByte(offset, (byte) 0x81);

        assertOnlyChanged(ram, offset, 0x81);
    }

    @ParameterizedTest
    @MethodSource("kindsAndOffsets")
    void storesALe16AndNothingElse(GuestRam.Kind kind, long offset) {
        GuestRam ram = ram(kind);

        twoPages(ram).putShort(offset, 0x7777_8291);

        assertOnlyChanged(ram, offset, 0x91, 0x82);
    }

    @ParameterizedTest
    @MethodSource("kindsAndOffsets")
    void storesALe32AndNothingElse(GuestRam.Kind kind, long offset) {
        GuestRam ram = ram(kind);

        twoPages(ram).putInt(offset, 0x84838281);

        assertOnlyChanged(ram, offset, 0x81, 0x82, 0x83, 0x84);
    }

    @ParameterizedTest
    @MethodSource("kindsAndOffsets")
    void storesALe64AndNothingElse(GuestRam.Kind kind, long offset) {
        GuestRam ram = ram(kind);

        twoPages(ram).putLong(offset, 0x88878685_84838281L);

        assertOnlyChanged(ram, offset, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88);
    }

    private static void assertOnlyChanged(GuestRam ram, long offset, int... values) {
        byte[] expected = new byte[ram.length()];
        Arrays.fill(expected, (byte) 0xEE);
        for (int i = 0; i < values.length; i++) {
            expected[(int) offset + i] = (byte) values[i];
        }

        assertArrayEquals(expected, ram.bytes(ram.base(), ram.length()));
    }

    @ParameterizedTest
    @MethodSource("kindsAndOffsets")
    void copiesIntsBothWays(GuestRam.Kind kind, long offset) {
        GuestRam ram = ram(kind);
        RamAccess window = RamAccess.of(ram.memory(), ram.base(), 3 * PAGE);
        int[] source = {9, 0x04030201, -2, 0, 9};
        int[] target = {7, 7, 7, 7, 7};

        window.putInts(offset, source, 1, 3);
        window.getInts(offset, target, 1, 3);

        assertOnlyChanged(ram, offset, 1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0);
        assertArrayEquals(new int[] {7, 0x04030201, -2, 0, 7}, target);
    }

    @ParameterizedTest
    @MethodSource("kindsAndOffsets")
    void fillsBytesAndNothingElse(GuestRam.Kind kind, long offset) {
        GuestRam ram = ram(kind);

        twoPages(ram).fill(offset, 8, (byte) 0x80);

        assertOnlyChanged(ram, offset, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWindowStartsAtItsOwnAddress(GuestRam.Kind kind) {
        GuestRam ram = ram(kind);
        RamAccess window = RamAccess.of(ram.memory(), ram.base() + PAGE + 100, 8);

        window.putInt(4, 0x04030201);

        assertOnlyChanged(ram, PAGE + 104, 1, 2, 3, 4);
        assertEquals(ram.base() + PAGE + 100, window.gpa());
        assertEquals(8, window.length());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWindowThatStartsInThePreviousRegionFindsTheNextOnes(GuestRam.Kind kind) {
        GuestRam ram = ram(kind);
        RamAccess window = RamAccess.of(ram.memory(), ram.base() + PAGE - 1, 2 * PAGE + 2);

        window.putByte(2 * PAGE + 1, (byte) 5);
        window.putByte(0, (byte) 6);

        assertEquals(5, ram.peek(ram.base() + 3 * PAGE));
        assertEquals(6, ram.peek(ram.base() + PAGE - 1));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void remapsToAnotherPlaceAndPath(GuestRam.Kind kind) {
        GuestRam ram = ram(kind);
        RamAccess window = twoPages(ram);
        for (int page = 0; page < 4; page++) {
            ram.poke(ram.base() + (long) page * PAGE, page);
        }
        int[] seen = new int[4];

        for (int page = 3; page >= 0; page--) {
            window.map(ram.base() + (long) page * PAGE, page == 1 ? 2 * PAGE : 1);
            seen[page] = window.getByte(0);
        }

        assertArrayEquals(new int[] {0, 1, 2, 3}, seen);
    }

    static Stream<Arguments> kindsAndHostileRanges() {
        long base = GuestRam.DEFAULT_BASE;
        long end = base + 4 * PAGE;
        long[][] ranges = {
            {base - 1, 1},
            {base - 1, 2},
            {base, 4 * PAGE + 1},
            {base, -1},
            {base, Long.MIN_VALUE},
            {base, Long.MAX_VALUE},
            {base, Long.MAX_VALUE - base},
            {base, Long.MAX_VALUE - base + 1},
            {base, 1L << 32},
            {base + PAGE, (1L << 32) + 1},
            {base + 1, 4 * PAGE},
            {end, 1},
            {end, 0},
            {end - 1, 2},
            {end - 1, 2 * PAGE},
            {end + PAGE / 2, 4},
            {end + PAGE - 1, 2},
            {end + 2 * PAGE, 1},
            {base, 6 * PAGE},
            {0, 1},
            {0, Long.MAX_VALUE},
            {-1, 1},
            {-1, 2},
            {-8, 16},
            {-base, 2 * base + 1},
            {Long.MAX_VALUE, 1},
            {Long.MAX_VALUE, Long.MAX_VALUE},
            {Long.MIN_VALUE, 1},
            {Long.MIN_VALUE, Long.MIN_VALUE},
            {Long.MIN_VALUE + base, 8},
        };
        return kinds().flatMap(
                        kind -> Stream.of(ranges).map(at -> Arguments.of(kind, at[0], at[1])));
    }

    @ParameterizedTest
    @MethodSource("kindsAndHostileRanges")
    void mapsNothingUnlessAllOfItIsRam(GuestRam.Kind kind, long gpa, long length) {
        GuestRam ram = ram(kind);
        RamAccess window = twoPages(ram);

        boolean mapped = window.map(gpa, length);

        assertEquals(false, mapped);
        assertEquals(0, window.length());
    }

    /** No offset reaches memory through a window whose last mapping failed. */
    @ParameterizedTest
    @MethodSource("kindsAndHostileRanges")
    void aFailedMappingLeavesNothingToTouch(GuestRam.Kind kind, long gpa, long length) {
        RamAccess window = twoPages(ram(kind));
        window.map(gpa, length);

        assertThrows(IndexOutOfBoundsException.class, () -> window.fill(0, 1, (byte) 0));
        assertThrows(AssertionError.class, () -> window.getByte(0));
    }

    @ParameterizedTest
    @MethodSource("kindsAndHostileRanges")
    void refusesAWindowOfTheCallersThatIsNotRam(GuestRam.Kind kind, long gpa, long length) {
        GuestMemory memory = ram(kind).memory();

        assertThrows(IllegalArgumentException.class, () -> RamAccess.of(memory, gpa, length));
    }

    @ParameterizedTest
    @EnumSource(value = GuestRam.Kind.class, names = "WITH_HOLE")
    void mapsThePageBehindTheHole(GuestRam.Kind kind) {
        GuestRam ram = ram(kind);

        RamAccess window = RamAccess.of(ram.memory(), ram.end() + PAGE, PAGE);
        window.putByte(PAGE - 1, (byte) 3);

        assertEquals(3, ram.peek(ram.end() + 2 * PAGE - 1));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWindowOfNoBytesMapsInsideRam(GuestRam.Kind kind) {
        GuestRam ram = ram(kind);
        RamAccess window = new RamAccess(ram.memory());

        boolean mapped = window.map(ram.end() - 1, 0);

        assertEquals(true, mapped);
        assertThrows(AssertionError.class, () -> window.getByte(0));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aNewWindowTouchesNothing(GuestRam.Kind kind) {
        RamAccess window = new RamAccess(ram(kind).memory());

        assertEquals(0, window.length());
        assertThrows(AssertionError.class, () -> window.getByte(0));
    }
}
