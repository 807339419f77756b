package io.aerostat.balloon.range;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

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

    /** The bytes of all RAM, region after region. */
    public static byte[] copyAll(GuestMemory memory) {
        byte[] bytes = new byte[(int) memory.bytes()];
        int at = 0;
        for (RamRegion region : memory.regions()) {
            int length = (int) region.length();
            System.arraycopy(copy(memory, region.gpa(), length), 0, bytes, at, length);
            at += length;
        }
        return bytes;
    }
}
