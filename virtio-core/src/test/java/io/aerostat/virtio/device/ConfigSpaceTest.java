package io.aerostat.virtio.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bytes of the configuration space, enumerated: every offset around it, every width. */
final class ConfigSpaceTest {
    private static final int LENGTH = 12;
    private static final long VALUE = 0x8877_6655_4433_2211L;

    /** Three fields whose bytes are 0xf1, 0xf2, ... in order of their offset. */
    private static ConfigSpace filled(long driverWritable) {
        ConfigSpace config = new ConfigSpace(LENGTH, driverWritable);
        for (int at = 0; at < LENGTH; at += 4) {
            int first = 0xf1 + at;
            config.set(at, first | (first + 1) << 8 | (first + 2) << 16 | (first + 3) << 24);
        }
        return config;
    }

    private static int byteAt(long offset) {
        return offset >= 0 && offset < LENGTH ? 0xf1 + (int) offset : 0;
    }

    @Test
    @DisplayName("CFG-DESC-01: fields are little-endian")
    void showsTheBytesOfAFieldLowestFirst() {
        ConfigSpace config = new ConfigSpace(4, 0);

        config.set(0, 0x0001_0203);

        assertEquals("3 2 1 0", bytes(config, 0) + " " + bytes(config, 2));
    }

    private static String bytes(ConfigSpace config, int offset) {
        return config.read(offset, 1) + " " + config.read(offset + 1, 1);
    }

    @Test
    void readsEveryWidthAtEveryOffset() {
        ConfigSpace config = filled(0);

        for (int offset = -9; offset <= LENGTH + 1; offset++) {
            for (int width = 1; width <= 8; width++) {
                long expected = 0;
                for (int i = 0; i < width; i++) {
                    expected |= (long) byteAt(offset + i) << (8 * i);
                }

                assertEquals(
                        expected,
                        config.read(offset, width),
                        "offset=" + offset + ", width=" + width);
            }
        }
    }

    @Test
    void writesTheDriversBytesAndNoOtherAtEveryOffsetWidthAndMask() {
        for (int writable = 0; writable < 8; writable++) {
            for (int offset = -9; offset <= LENGTH + 1; offset++) {
                for (int width = 1; width <= 8; width++) {
                    checkWrite(writable, offset, width);
                }
            }
        }
    }

    private static void checkWrite(int writable, int offset, int width) {
        ConfigSpace config = filled(writable);
        String which = "writable=" + writable + ", offset=" + offset + ", width=" + width;

        boolean written = config.write(offset, width, VALUE);

        boolean anyByte = false;
        for (int at = 0; at < LENGTH; at++) {
            boolean hit = at >= offset && at < offset + width && (writable >> (at / 4) & 1) != 0;
            int expected = hit ? 0x11 * (at - offset + 1) : byteAt(at);
            anyByte |= hit;
            assertEquals(expected, config.read(at, 1), which + ", at=" + at);
        }
        assertEquals(anyByte, written, which);
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                Long.MIN_VALUE,
                Long.MIN_VALUE + 1,
                -(1L << 32),
                1L << 32,
                (1L << 34) + 4,
                Long.MAX_VALUE - 8,
                Long.MAX_VALUE - 3,
                Long.MAX_VALUE
            })
    void hasNothingAtFarOffsets(long offset) {
        ConfigSpace config = filled(-1);

        boolean written = config.write(offset, 8, VALUE);

        assertFalse(written);
        assertEquals(0, config.read(offset, 8));
        assertEquals(0xf4f3f2f1L, config.read(0, 4));
    }

    @Test
    void keepsTheLastOfSixtyFourFieldsForTheDriver() {
        ConfigSpace config = new ConfigSpace(256, 1L << 63);

        assertTrue(config.write(252, 4, 7));
        assertFalse(config.write(248, 4, 7));
        assertEquals(7, config.get(252));
    }

    @Test
    void showsTheOwnerWhatTheDriverWrote() {
        ConfigSpace config = filled(0b010);

        config.write(4, 4, 0xdead_beefL);

        assertEquals(0xdead_beef, config.get(4));
    }

    @ParameterizedTest
    @ValueSource(ints = {-4, 1, 3, 6, 257, 260})
    void refusesALengthThatIsNoNumberOfFields(int length) {
        assertThrows(IllegalArgumentException.class, () -> new ConfigSpace(length, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 256})
    void takesAnyNumberOfFieldsUpToSixtyFour(int length) {
        assertEquals(length, new ConfigSpace(length, 0).length());
    }

    @Test
    void readsZeroFromASpaceWithoutFields() {
        ConfigSpace config = new ConfigSpace(0, -1);

        assertFalse(config.write(0, 8, -1));
        assertEquals(0, config.read(0, 8));
    }
}
