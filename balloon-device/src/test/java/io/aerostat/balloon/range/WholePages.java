package io.aerostat.balloon.range;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Pages of guest RAM, eight bytes at a time: tests look at all of RAM, over and over. */
public final class WholePages {
    private WholePages() {}

    /** Stores {@code value}, 0 to 255, in all bytes of some pages. */
    public static void fill(GuestMemory memory, long gpa, long bytes, int value) {
        RamAccess pages = RamAccess.of(memory, gpa, bytes);
        long eight = value * 0x0101_0101_0101_0101L;
        for (long at = 0; at < bytes; at += Long.BYTES) {
            pages.putLong(at, eight);
        }
    }

    /** The bytes of some pages. */
    public static byte[] copy(GuestMemory memory, long gpa, int bytes) {
        RamAccess pages = RamAccess.of(memory, gpa, bytes);
        ByteBuffer copy = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes; at += Long.BYTES) {
            copy.putLong(at, pages.getLong(at));
        }
        return copy.array();
    }
}
