package io.aerostat.guest.mm.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class WatermarksTest {
    @Test
    void areThoseThatLinuxComputes() {
        // min_free_kbytes: 1024 for 64 MiB, 2048 for 256 MiB, 8192 for 4 GiB.
        assertEquals(new Watermarks(256, 320, 384), Watermarks.of(16_384));
        assertEquals(new Watermarks(512, 640, 768), Watermarks.of(65_536));
        assertEquals(new Watermarks(2048, 3096, 4144), Watermarks.of(1_048_576));
    }

    @Test
    void haveALeastAndAMost() {
        assertEquals(new Watermarks(32, 40, 48), Watermarks.of(100));
        assertEquals(65_536, Watermarks.of(1L << 31).minPages());
    }

    @Test
    void mustRise() {
        assertThrows(IllegalArgumentException.class, () -> new Watermarks(-1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Watermarks(5, 4, 6));
        assertThrows(IllegalArgumentException.class, () -> new Watermarks(5, 6, 5));
    }
}
