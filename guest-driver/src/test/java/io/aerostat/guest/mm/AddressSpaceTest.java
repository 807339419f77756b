package io.aerostat.guest.mm;

import static io.aerostat.guest.mm.FaultOutcome.MAJOR;
import static io.aerostat.guest.mm.FaultOutcome.MINOR;
import static io.aerostat.guest.mm.FaultOutcome.NONE;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

final class AddressSpaceTest {
    private static final int PAGES = 256;

    private final MemoryRig rig =
            new MemoryRig(PAGES, MemoryRig.options().withSwapPages(64).withFiles(2, 100));

    private byte[] bytesOf(AddressSpace space, int page) {
        return rig.ram.bytes((long) space.frameOf(page) << 12, GuestRam.PAGE);
    }

    @Test
    void startsAPageWithZeros() {
        rig.ram.fill(rig.ram.base(), rig.ram.length(), 0xA5);
        AddressSpace space = rig.node.newAddressSpace(7, 10);

        assertEquals(MINOR, space.read(3));

        assertArrayEquals(new byte[GuestRam.PAGE], bytesOf(space, 3));
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
        assertEquals(1, space.residentPages());
        assertEquals(FrameUse.ANONYMOUS, rig.node.useOf(space.frameOf(3)));
    }

    @Test
    void writesSomethingElseEachTimeAndForEachPage() {
        AddressSpace space = rig.node.newAddressSpace(7, 10);
        AddressSpace other = rig.node.newAddressSpace(8, 10);

        assertEquals(MINOR, space.write(0));
        byte[] first = bytesOf(space, 0);
        assertEquals(NONE, space.write(0));
        byte[] second = bytesOf(space, 0);
        space.write(1);
        other.write(0);

        assertFalse(Arrays.equals(first, second));
        assertFalse(Arrays.equals(first, bytesOf(space, 1)));
        assertFalse(Arrays.equals(first, bytesOf(other, 0)));
        assertEquals(3, rig.count(VmCounter.PGFAULT));
        assertEquals(3, rig.node.minorFaults());
    }

    @Test
    void freesAPageAndStartsItAnew() {
        AddressSpace space = rig.written(7, 10);

        assertTrue(space.free(4));
        assertFalse(space.free(4));

        assertFalse(space.isPresent(4));
        assertEquals(9, space.residentPages());
        assertEquals(MINOR, space.read(4));
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
        rig.assertConserved("after a free");
    }

    @Test
    void givesEverythingBackWhenTheProcessEnds() {
        AddressSpace space = rig.written(7, 290);
        assertTrue(space.swappedPages() > 0);

        space.exit();

        assertEquals(PAGES, rig.node.freePages());
        assertEquals(0, rig.node.swapUsedPages());
        assertThrows(IllegalStateException.class, () -> space.read(0));
        assertThrows(IllegalStateException.class, () -> space.readFile(0, 0));
        assertThrows(IllegalStateException.class, space::exit);
        assertEquals(0, rig.node.newAddressSpace(8, 1).anonymousPages());
    }

    @Test
    void swapsOutAndInWithoutLosingABit() {
        AddressSpace space = rig.node.newAddressSpace(7, 300);
        space.write(0);
        byte[] written = bytesOf(space, 0);
        for (int page = 1; page < 300; page++) {
            space.write(page);
        }
        assertTrue(space.isSwapped(0));

        assertEquals(MAJOR, space.read(0));

        assertArrayEquals(written, bytesOf(space, 0));
        assertEquals(1, rig.count(VmCounter.PSWPIN));
        assertEquals(1, rig.count(VmCounter.PGMAJFAULT));
        assertEquals(1, rig.count(VmCounter.WORKINGSET_REFAULT_ANON));
        assertEquals(rig.count(VmCounter.PSWPOUT) - 1, rig.node.swapUsedPages());
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
    }

    static Stream<GuestRam.Kind> kinds() {
        return GuestRam.kinds();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void findsASingleWrongBitInEveryKindOfRam(GuestRam.Kind kind) {
        MemoryRig other = new MemoryRig(kind, PAGES, MemoryRig.options().withFiles(1, 10));
        AddressSpace space = other.written(7, 20);
        space.readFile(0, 5);
        long gpa = ((long) space.frameOf(11) << 12) + 4095;

        other.ram.poke(gpa, other.ram.peek(gpa) ^ 0x80);
        for (int page = 0; page < 20; page++) {
            space.read(page);
        }

        assertEquals(List.of("corrupted 7:11"), other.events);
        assertEquals(1, other.count(VmCounter.CORRUPTED));
    }

    @Test
    void readsAFileOnceAndThenFromTheCache() {
        AddressSpace space = rig.node.newAddressSpace(7, 10);
        AddressSpace other = rig.node.newAddressSpace(8, 10);

        assertEquals(MAJOR, space.readFile(1, 99));
        assertEquals(NONE, other.readFile(1, 99));

        assertEquals(1, rig.node.cachePages());
        assertEquals(1, rig.count(VmCounter.PGMAJFAULT));
        assertEquals(0, rig.count(VmCounter.WORKINGSET_REFAULT_FILE));
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
    }

    @Test
    void findsAWrongBitInACachedPage() {
        AddressSpace space = rig.node.newAddressSpace(7, 10);
        space.readFile(1, 42);
        int cached = MemoryRig.FIRST_PFN;
        while (rig.node.useOf(cached) != FrameUse.CACHE) {
            cached++;
        }

        rig.ram.poke((long) cached << 12, rig.ram.peek((long) cached << 12) ^ 1);
        space.readFile(1, 42);

        assertEquals(List.of("corrupted file 1:42"), rig.events);
    }

    @Test
    void refusesPagesThatAreNotThere() {
        AddressSpace space = rig.node.newAddressSpace(7, 10);

        assertThrows(IllegalArgumentException.class, () -> space.read(10));
        assertThrows(IllegalArgumentException.class, () -> space.write(-1));
        assertThrows(IllegalArgumentException.class, () -> space.free(10));
        assertThrows(IllegalArgumentException.class, () -> space.readFile(2, 0));
        assertThrows(IllegalArgumentException.class, () -> space.readFile(0, 100));
        assertThrows(IllegalArgumentException.class, () -> rig.node.newAddressSpace(-1, 1));
    }
}
