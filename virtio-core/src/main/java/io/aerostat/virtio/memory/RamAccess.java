package io.aerostat.virtio.memory;

import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A validated window on guest RAM, and the only code that reads or writes it.
 *
 * <p>{@link #map} checks a guest range once: all of it must be RAM. From then on the fields of the
 * window are reached by offset. Values are little-endian. Accesses are plain; whoever shares memory
 * with a peer puts fences around them (see the queue package). An aligned access of 2, 4 or 8 bytes
 * is a single access; an unaligned one may not be.
 *
 * <pre>
 *   window lies in ...                     path
 *   one region with a raw address          raw address (Agrona's UnsafeApi)     the fast one
 *   one region in a ByteBuffer or byte[]   buffer
 *   several adjacent regions               region looked up at each access      rare, and correct
 * </pre>
 *
 * <p>Raw addresses need {@code --add-exports java.base/jdk.internal.misc=ALL-UNNAMED}. Whether the
 * JVM was given it is found out once; without it, direct buffers take the buffer path.
 *
 * <p>A window is made once and mapped many times, so that a hot path allocates nothing. It belongs
 * to one thread. Offsets are the caller's duty: they are checked by assertions on the raw path and
 * always on the others, so that code which lets a peer choose an offset must check it first.
 */
public final class RamAccess {
    private static final boolean RAW_ADDRESSES = probeRawAddresses();
    private static final long INT_ARRAY_BASE =
            RAW_ADDRESSES ? UnsafeApi.arrayBaseOffset(int[].class) : 0;
    private static final boolean BIG_ENDIAN_HOST = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;

    private final GuestMemory memory;

    private long gpa;
    private long length;
    private int regionIndex;
    private long address;
    private @Nullable ByteBuffer buffer;
    private int bufferBase;

    /** A window on {@code memory} that is not mapped yet: its length is 0. */
    public RamAccess(GuestMemory memory) {
        this.memory = memory;
    }

    /**
     * A window on a range that must be RAM, for a caller who chose the range: {@link #map} for one
     * whom a guest chose it for.
     */
    public static RamAccess of(GuestMemory memory, long gpa, long length) {
        RamAccess access = new RamAccess(memory);
        if (!access.map(gpa, length)) {
            throw new IllegalArgumentException(
                    "not guest RAM: gpa=0x" + Long.toHexString(gpa) + ", length=" + length);
        }
        return access;
    }

    /** Tells whether this JVM lets RAM be reached by its raw address. */
    public static boolean supportsRawAddresses() {
        return RAW_ADDRESSES;
    }

    /**
     * Moves the window to {@code length} bytes from {@code gpa}.
     *
     * @return false, with nothing mapped, unless all of them are RAM; any values are welcome, they
     *     may come from a guest
     */
    public boolean map(long gpa, long length) {
        int index = memory.regionIndexOf(gpa);
        if (index == GuestMemory.NOT_RAM || length < 0) {
            return unmap();
        }
        RamRegion region = memory.region(index);
        long offset = gpa - region.gpa();
        this.gpa = gpa;
        this.length = length;
        this.regionIndex = index;
        if (length > region.length() - offset) {
            address = 0;
            buffer = null;
            return memory.contains(gpa, length) || unmap();
        }
        address = region.hostAddress() == 0 ? 0 : region.hostAddress() + offset;
        buffer = region.buffer();
        bufferBase = buffer == null ? 0 : (int) offset;
        return true;
    }

    /** Leaves nothing mapped: the length is 0. Answers false, for callers that could not map. */
    public boolean unmap() {
        length = 0;
        address = 0;
        buffer = null;
        return false;
    }

    /** Guest-physical address of the window. */
    public long gpa() {
        return gpa;
    }

    /** Bytes of the window; 0 if nothing is mapped. */
    public long length() {
        return length;
    }

    /** The byte at {@code offset}. */
    public byte getByte(long offset) {
        assert isInside(offset, Byte.BYTES);
        if (address != 0) {
            return UnsafeApi.getByte(address + offset);
        }
        ByteBuffer bytes = buffer;
        return bytes != null ? bytes.get(bufferIndex(offset, Byte.BYTES)) : spanningByte(offset);
    }

    /** Stores a byte at {@code offset}. */
    public void putByte(long offset, byte value) {
        assert isInside(offset, Byte.BYTES);
        if (address != 0) {
            UnsafeApi.putByte(address + offset, value);
            return;
        }
        ByteBuffer bytes = buffer;
        if (bytes != null) {
            bytes.put(bufferIndex(offset, Byte.BYTES), value);
        } else {
            putSpanningByte(offset, value);
        }
    }

    /** The le16 at {@code offset}, zero-extended. */
    public int getUnsignedShort(long offset) {
        assert isInside(offset, Short.BYTES);
        if (address != 0) {
            return littleEndian(UnsafeApi.getShort(address + offset)) & 0xFFFF;
        }
        ByteBuffer bytes = buffer;
        return bytes != null
                ? bytes.getShort(bufferIndex(offset, Short.BYTES)) & 0xFFFF
                : (int) spanning(offset, Short.BYTES);
    }

    /** Stores the low 16 bits of {@code value} as le16 at {@code offset}. */
    public void putShort(long offset, int value) {
        assert isInside(offset, Short.BYTES);
        short bits = (short) value;
        if (address != 0) {
            UnsafeApi.putShort(address + offset, littleEndian(bits));
            return;
        }
        ByteBuffer bytes = buffer;
        if (bytes != null) {
            bytes.putShort(bufferIndex(offset, Short.BYTES), bits);
        } else {
            putSpanning(offset, Short.BYTES, value);
        }
    }

    /** The le32 at {@code offset}. */
    public int getInt(long offset) {
        assert isInside(offset, Integer.BYTES);
        if (address != 0) {
            return littleEndian(UnsafeApi.getInt(address + offset));
        }
        ByteBuffer bytes = buffer;
        return bytes != null
                ? bytes.getInt(bufferIndex(offset, Integer.BYTES))
                : (int) spanning(offset, Integer.BYTES);
    }

    /** Stores a le32 at {@code offset}. */
    public void putInt(long offset, int value) {
        assert isInside(offset, Integer.BYTES);
        if (address != 0) {
            UnsafeApi.putInt(address + offset, littleEndian(value));
            return;
        }
        ByteBuffer bytes = buffer;
        if (bytes != null) {
            bytes.putInt(bufferIndex(offset, Integer.BYTES), value);
        } else {
            putSpanning(offset, Integer.BYTES, value);
        }
    }

    /** The le64 at {@code offset}. */
    public long getLong(long offset) {
        assert isInside(offset, Long.BYTES);
        if (address != 0) {
            return littleEndian(UnsafeApi.getLong(address + offset));
        }
        ByteBuffer bytes = buffer;
        return bytes != null
                ? bytes.getLong(bufferIndex(offset, Long.BYTES))
                : spanning(offset, Long.BYTES);
    }

    /** Stores a le64 at {@code offset}. */
    public void putLong(long offset, long value) {
        assert isInside(offset, Long.BYTES);
        if (address != 0) {
            UnsafeApi.putLong(address + offset, littleEndian(value));
            return;
        }
        ByteBuffer bytes = buffer;
        if (bytes != null) {
            bytes.putLong(bufferIndex(offset, Long.BYTES), value);
        } else {
            putSpanning(offset, Long.BYTES, value);
        }
    }

    /** Copies {@code count} le32 values from {@code offset} into {@code target}. */
    public void getInts(long offset, int[] target, int targetIndex, int count) {
        checkArray(target.length, targetIndex, count);
        checkInside(offset, (long) count * Integer.BYTES);
        if (address != 0 && !BIG_ENDIAN_HOST) {
            long bytes = (long) count * Integer.BYTES;
            UnsafeApi.copyMemory(null, address + offset, target, indexOffset(targetIndex), bytes);
            return;
        }
        for (int i = 0; i < count; i++) {
            target[targetIndex + i] = getInt(offset + ((long) i << 2));
        }
    }

    /** Copies {@code count} values of {@code source} to {@code offset} as le32. */
    public void putInts(long offset, int[] source, int sourceIndex, int count) {
        checkArray(source.length, sourceIndex, count);
        checkInside(offset, (long) count * Integer.BYTES);
        if (address != 0 && !BIG_ENDIAN_HOST) {
            long bytes = (long) count * Integer.BYTES;
            UnsafeApi.copyMemory(source, indexOffset(sourceIndex), null, address + offset, bytes);
            return;
        }
        for (int i = 0; i < count; i++) {
            putInt(offset + ((long) i << 2), source[sourceIndex + i]);
        }
    }

    /** Sets {@code count} bytes from {@code offset} to {@code value}. */
    public void fill(long offset, long count, byte value) {
        checkInside(offset, count);
        if (address != 0) {
            UnsafeApi.setMemory(address + offset, count, value);
            return;
        }
        for (long i = 0; i < count; i++) {
            putByte(offset + i, value);
        }
    }

    /** Address of a direct buffer's first byte. Call only if {@link #supportsRawAddresses()}. */
    static long addressOf(ByteBuffer buffer) {
        return BufferUtil.address(buffer);
    }

    private static long indexOffset(int index) {
        return INT_ARRAY_BASE + (long) index * Integer.BYTES;
    }

    private boolean isInside(long offset, long count) {
        return offset >= 0 && count >= 0 && offset <= length - count;
    }

    private void checkInside(long offset, long count) {
        if (!isInside(offset, count)) {
            throw new IndexOutOfBoundsException(
                    "outside the window: offset="
                            + offset
                            + ", count="
                            + count
                            + ", length="
                            + length);
        }
    }

    private static void checkArray(int arrayLength, int index, int count) {
        if ((index | count) < 0 || index > arrayLength - count) {
            throw new IndexOutOfBoundsException(
                    "outside the array: index="
                            + index
                            + ", count="
                            + count
                            + ", length="
                            + arrayLength);
        }
    }

    // A region in a buffer is larger than the window: its own bounds check would let a wrong offset
    // pass.
    private int bufferIndex(long offset, int count) {
        checkInside(offset, count);
        return bufferBase + (int) offset;
    }

    private long spanning(long offset, int count) {
        checkInside(offset, count);
        RamRegion region = regionOf(offset, count);
        if (region != null) {
            return getFrom(region, gpa + offset - region.gpa(), count);
        }
        long value = 0;
        for (int i = count - 1; i >= 0; i--) {
            value = value << 8 | (spanningByte(offset + i) & 0xFF);
        }
        return value;
    }

    private void putSpanning(long offset, int count, long value) {
        checkInside(offset, count);
        RamRegion region = regionOf(offset, count);
        if (region != null) {
            putTo(region, gpa + offset - region.gpa(), count, value);
            return;
        }
        for (int i = 0; i < count; i++) {
            putSpanningByte(offset + i, (byte) (value >>> (8 * i)));
        }
    }

    private byte spanningByte(long offset) {
        return (byte) spanning(offset, Byte.BYTES);
    }

    private void putSpanningByte(long offset, byte value) {
        putSpanning(offset, Byte.BYTES, value);
    }

    /** The region that holds the whole field, or null if the field lies across two. */
    private @Nullable RamRegion regionOf(long offset, int count) {
        int index = regionIndex;
        while (memory.region(index).end() <= gpa + offset) {
            index++;
        }
        RamRegion region = memory.region(index);
        return region.end() - (gpa + offset) >= count ? region : null;
    }

    private static long getFrom(RamRegion region, long at, int count) {
        ByteBuffer bytes = region.buffer();
        if (bytes != null) {
            int index = (int) at;
            return switch (count) {
                case Byte.BYTES -> bytes.get(index) & 0xFFL;
                case Short.BYTES -> bytes.getShort(index) & 0xFFFFL;
                case Integer.BYTES -> bytes.getInt(index) & 0xFFFF_FFFFL;
                default -> bytes.getLong(index);
            };
        }
        long source = region.hostAddress() + at;
        return switch (count) {
            case Byte.BYTES -> UnsafeApi.getByte(source) & 0xFFL;
            case Short.BYTES -> littleEndian(UnsafeApi.getShort(source)) & 0xFFFFL;
            case Integer.BYTES -> littleEndian(UnsafeApi.getInt(source)) & 0xFFFF_FFFFL;
            default -> littleEndian(UnsafeApi.getLong(source));
        };
    }

    private static void putTo(RamRegion region, long at, int count, long value) {
        ByteBuffer bytes = region.buffer();
        if (bytes != null) {
            int index = (int) at;
            switch (count) {
                case Byte.BYTES -> bytes.put(index, (byte) value);
                case Short.BYTES -> bytes.putShort(index, (short) value);
                case Integer.BYTES -> bytes.putInt(index, (int) value);
                default -> bytes.putLong(index, value);
            }
            return;
        }
        long target = region.hostAddress() + at;
        switch (count) {
            case Byte.BYTES -> UnsafeApi.putByte(target, (byte) value);
            case Short.BYTES -> UnsafeApi.putShort(target, littleEndian((short) value));
            case Integer.BYTES -> UnsafeApi.putInt(target, littleEndian((int) value));
            default -> UnsafeApi.putLong(target, littleEndian(value));
        }
    }

    private static short littleEndian(short value) {
        return BIG_ENDIAN_HOST ? Short.reverseBytes(value) : value;
    }

    private static int littleEndian(int value) {
        return BIG_ENDIAN_HOST ? Integer.reverseBytes(value) : value;
    }

    private static long littleEndian(long value) {
        return BIG_ENDIAN_HOST ? Long.reverseBytes(value) : value;
    }

    private static boolean probeRawAddresses() {
        try {
            UnsafeApi.fullFence();
            return true;
        } catch (LinkageError notExported) {
            System.getLogger(RamAccess.class.getName())
                    .log(
                            System.Logger.Level.INFO,
                            "guest RAM is accessed through buffers; --add-exports"
                                    + " java.base/jdk.internal.misc=ALL-UNNAMED makes rings about 4"
                                    + " times faster");
            return false;
        }
    }
}
