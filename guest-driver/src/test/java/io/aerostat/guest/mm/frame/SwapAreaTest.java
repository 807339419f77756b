package io.aerostat.guest.mm.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

final class SwapAreaTest {
    static Stream<GuestRam.Kind> kinds() {
        return GuestRam.kinds();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void keepsEachPageUntilItsSlotIsReleased(GuestRam.Kind kind) {
        GuestRam ram = GuestRam.of(kind, 3 * GuestRam.PAGE);
        RamAccess page = RamAccess.of(ram.memory(), ram.base() + GuestRam.PAGE, GuestRam.PAGE);
        SwapArea swap = new SwapArea(2);
        PageContent.fill(page, 11);
        byte[] first = ram.bytes(page.gpa(), GuestRam.PAGE);
        int slot = swap.store(page);
        PageContent.fill(page, 12);
        byte[] second = ram.bytes(page.gpa(), GuestRam.PAGE);
        int other = swap.store(page);

        assertEquals(SwapArea.NONE, swap.store(page));
        assertEquals(2, swap.usedPages());
        swap.load(slot, page);
        assertArrayEquals(first, ram.bytes(page.gpa(), GuestRam.PAGE));
        swap.load(other, page);
        assertArrayEquals(second, ram.bytes(page.gpa(), GuestRam.PAGE));

        swap.release(slot);
        assertEquals(1, swap.freePages());
        assertEquals(slot, swap.store(page));
        assertEquals(0, ram.peek(ram.base() + GuestRam.PAGE - 1));
        assertEquals(0, ram.peek(ram.base() + 2 * GuestRam.PAGE));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void refusesToLoadWhatWasNeverStored(GuestRam.Kind kind) {
        GuestRam ram = GuestRam.of(kind, GuestRam.PAGE);
        RamAccess page = RamAccess.of(ram.memory(), ram.base(), GuestRam.PAGE);

        assertThrows(IllegalArgumentException.class, () -> new SwapArea(2).load(1, page));
        assertEquals(SwapArea.NONE, new SwapArea(0).store(page));
    }
}
