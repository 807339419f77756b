package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** Regions behind an accessor. */
final class AccessorRegionTest {
    private static final int PAGE = 4096;

    private final PagedArray pages = new PagedArray(new byte[4][], PAGE);

    @Test
    void refusesFewerPagesThanTheRegionHas() {
        assertThrows(
                IllegalArgumentException.class, () -> RamRegion.ofAccessor(0, 5 * PAGE, pages));
    }

    @Test
    void thePagesMayBeMoreThanTheRegionHas() {
        RamRegion region = RamRegion.ofAccessor(0, 3 * PAGE, pages);

        assertEquals(3 * PAGE, region.length());
        assertEquals(pages, region.accessor());
    }

    @Test
    void theAccessorIsGoneOnceTheRegionIsDetached() {
        RamRegion region = RamRegion.ofAccessor(0, 4 * PAGE, pages);
        GuestMemory memory = GuestMemory.of(region);

        memory.detach(region);

        assertNull(region.accessor());
    }

    @Test
    void aRegionInABufferHasNoAccessor() {
        assertNull(RamRegion.ofArray(0, new byte[PAGE]).accessor());
    }
}
