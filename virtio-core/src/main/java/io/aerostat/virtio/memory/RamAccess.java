package io.aerostat.virtio.memory;

import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;

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
 *   one region behind an accessor          a call for each field                as fast as the embedder
 *   several adjacent regions               region looked up at each access      rare, and correct
 * </pre>
 *
 * <p>The window holds its place and the region; where the bytes are the region alone knows. So when
 * RAM is detached, no window can reach it any more: it reads 0 and writes nothing until RAM is
 * attached there again, which it finds by itself.
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

    /** What a window is on that lies in no region, or in several. */
    private static final RamRegion NO_SINGLE_REGION = RamRegion.absent(0, RamRegion.PAGE_BYTES);

    private long gpa;
    private long length;
    private int regionIndex;

    // The region that all of the window lies in, and where in it.
    private RamRegion region = NO_SINGLE_REGION;
    private long base;

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
        RamRegion first = memory.region(index);
        boolean single = length <= first.end() - gpa;
        if (single ? !first.isAttached() : !memory.contains(gpa, length)) {
            return unmap();
        }
        this.gpa = gpa;
        this.length = length;
        regionIndex = index;
        lieIn(single ? first : NO_SINGLE_REGION);
        return true;
    }

    private void lieIn(RamRegion single) {
        region = single;
        base = gpa - single.gpa();
    }

    /** Leaves nothing mapped: the length is 0. Answers false, for callers that could not map. */
    public boolean unmap() {
        length = 0;
        region = NO_SINGLE_REGION;
        return false;
    }

    /** Tells whether all of the window is RAM still; not so once part of it was detached. */
    public boolean isRam() {
        return memory.contains(gpa, length);
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
        long address = region.hostAddress();
        if (address != 0) {
            return UnsafeApi.getByte(address + base + offset);
        }
        ByteBuffer bytes = region.buffer();
        return bytes != null
                ? bytes.get(bufferIndex(offset, Byte.BYTES))
                : (byte) load(offset, Byte.BYTES);
    }

    /** Stores a byte at {@code offset}. */
    public void putByte(long offset, byte value) {
        assert isInside(offset, Byte.BYTES);
        long address = region.hostAddress();
        if (address != 0) {
            UnsafeApi.putByte(address + base + offset, value);
            return;
        }
        ByteBuffer bytes = region.buffer();
        if (bytes != null) {
            bytes.put(bufferIndex(offset, Byte.BYTES), value);
        } else {
            store(offset, Byte.BYTES, value);
        }
    }

    /** The le16 at {@code offset}, zero-extended. */
    public int getUnsignedShort(long offset) {
        assert isInside(offset, Short.BYTES);
        long address = region.hostAddress();
        if (address != 0) {
            return littleEndian(UnsafeApi.getShort(address + base + offset)) & 0xFFFF;
        }
        ByteBuffer bytes = region.buffer();
        return bytes != null
                ? bytes.getShort(bufferIndex(offset, Short.BYTES)) & 0xFFFF
                : (int) load(offset, Short.BYTES);
    }

    /** Stores the low 16 bits of {@code value} as le16 at {@code offset}. */
    public void putShort(long offset, int value) {
        assert isInside(offset, Short.BYTES);
        short bits = (short) value;
        long address = region.hostAddress();
        if (address != 0) {
            UnsafeApi.putShort(address + base + offset, littleEndian(bits));
            return;
        }
        ByteBuffer bytes = region.buffer();
        if (bytes != null) {
            bytes.putShort(bufferIndex(offset, Short.BYTES), bits);
        } else {
            store(offset, Short.BYTES, value);
        }
    }

    /** The le32 at {@code offset}. */
    public int getInt(long offset) {
        assert isInside(offset, Integer.BYTES);
        long address = region.hostAddress();
        if (address != 0) {
            return littleEndian(UnsafeApi.getInt(address + base + offset));
        }
        ByteBuffer bytes = region.buffer();
        return bytes != null
                ? bytes.getInt(bufferIndex(offset, Integer.BYTES))
                : (int) load(offset, Integer.BYTES);
    }

    /** Stores a le32 at {@code offset}. */
    public void putInt(long offset, int value) {
        assert isInside(offset, Integer.BYTES);
        long address = region.hostAddress();
        if (address != 0) {
            UnsafeApi.putInt(address + base + offset, littleEndian(value));
            return;
        }
        ByteBuffer bytes = region.buffer();
        if (bytes != null) {
            bytes.putInt(bufferIndex(offset, Integer.BYTES), value);
        } else {
            store(offset, Integer.BYTES, value);
        }
    }

    /** The le64 at {@code offset}. */
    public long getLong(long offset) {
        assert isInside(offset, Long.BYTES);
        long address = region.hostAddress();
        if (address != 0) {
            return littleEndian(UnsafeApi.getLong(address + base + offset));
        }
        ByteBuffer bytes = region.buffer();
        return bytes != null
                ? bytes.getLong(bufferIndex(offset, Long.BYTES))
                : load(offset, Long.BYTES);
    }

    /** Stores a le64 at {@code offset}. */
    public void putLong(long offset, long value) {
        assert isInside(offset, Long.BYTES);
        long address = region.hostAddress();
        if (address != 0) {
            UnsafeApi.putLong(address + base + offset, littleEndian(value));
            return;
        }
        ByteBuffer bytes = region.buffer();
        if (bytes != null) {
            bytes.putLong(bufferIndex(offset, Long.BYTES), value);
        } else {
            store(offset, Long.BYTES, value);
        }
    }

    /** Copies {@code count} le32 values from {@code offset} into {@code target}. */
    public void getInts(long offset, int[] target, int targetIndex, int count) {
        checkArray(target.length, targetIndex, count);
        long bytes = (long) count * Integer.BYTES;
        checkInside(offset, bytes);
        long address = region.hostAddress();
        if (address != 0 && !BIG_ENDIAN_HOST) {
            long source = address + base + offset;
            UnsafeApi.copyMemory(null, source, target, indexOffset(targetIndex), bytes);
        } else {
            loadInts(offset, target, targetIndex, count);
        }
    }

    private void loadInts(long offset, int[] target, int targetIndex, int count) {
        IntBuffer ints = region.ints();
        RamAccessor accessor = region.accessor();
        if (ints != null && ((base + offset) & 3) == 0) {
            ints.get((int) ((base + offset) >>> 2), target, targetIndex, count);
        } else if (accessor != null) {
            accessor.loadInts(base + offset, target, targetIndex, count);
        } else {
            for (int i = 0; i < count; i++) {
                target[targetIndex + i] = getInt(offset + ((long) i << 2));
            }
        }
    }

    /** Copies {@code count} values of {@code source} to {@code offset} as le32. */
    public void putInts(long offset, int[] source, int sourceIndex, int count) {
        checkArray(source.length, sourceIndex, count);
        long bytes = (long) count * Integer.BYTES;
        checkInside(offset, bytes);
        long address = region.hostAddress();
        if (address != 0 && !BIG_ENDIAN_HOST) {
            long target = address + base + offset;
            UnsafeApi.copyMemory(source, indexOffset(sourceIndex), null, target, bytes);
        } else {
            storeInts(offset, source, sourceIndex, count);
        }
    }

    private void storeInts(long offset, int[] source, int sourceIndex, int count) {
        IntBuffer ints = region.ints();
        RamAccessor accessor = region.accessor();
        if (ints != null && ((base + offset) & 3) == 0) {
            ints.put((int) ((base + offset) >>> 2), source, sourceIndex, count);
        } else if (accessor != null) {
            accessor.storeInts(base + offset, source, sourceIndex, count);
        } else {
            for (int i = 0; i < count; i++) {
                putInt(offset + ((long) i << 2), source[sourceIndex + i]);
            }
        }
    }

    /** Sets {@code count} bytes from {@code offset} to {@code value}. */
    public void fill(long offset, long count, byte value) {
        checkInside(offset, count);
        long address = region.hostAddress();
        RamAccessor accessor = region.accessor();
        if (address != 0) {
            UnsafeApi.setMemory(address + base + offset, count, value);
        } else if (accessor != null) {
            accessor.fill(base + offset, count, value);
        } else {
            for (long i = 0; i < count; i++) {
                putByte(offset + i, value);
            }
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
        return (int) (base + offset);
    }

    // What neither an address nor a buffer reaches: an accessor's region, several regions, or one
    // that was detached.

    private long load(long offset, int count) {
        checkInside(offset, count);
        RamAccessor accessor = region.accessor();
        if (accessor != null) {
            return accessor.load(base + offset, count);
        }
        RamRegion there = regionOf(offset, count);
        if (there != null) {
            return loadFrom(there, gpa + offset - there.gpa(), count);
        }
        long value = 0;
        for (int i = count - 1; i >= 0; i--) {
            value = value << Byte.SIZE | load(offset + i, Byte.BYTES);
        }
        return value;
    }

    private void store(long offset, int count, long value) {
        checkInside(offset, count);
        RamAccessor accessor = region.accessor();
        if (accessor != null) {
            accessor.store(base + offset, count, value);
            return;
        }
        RamRegion there = regionOf(offset, count);
        if (there != null) {
            storeTo(there, gpa + offset - there.gpa(), count, value);
            return;
        }
        for (int i = 0; i < count; i++) {
            store(offset + i, Byte.BYTES, value >>> (Byte.SIZE * i));
        }
    }

    /**
     * The region that holds the whole field now, or null if the field lies across two. If that is
     * the whole window's, and was attached in place of the one it knew, it is found from here on.
     */
    private @Nullable RamRegion regionOf(long offset, int count) {
        int index = regionIndex;
        while (memory.region(index).end() <= gpa + offset) {
            index++;
        }
        RamRegion there = memory.region(index);
        if (!region.equals(NO_SINGLE_REGION)) {
            lieIn(there);
        }
        return there.end() - (gpa + offset) >= count ? there : null;
    }

    private static long loadFrom(RamRegion region, long at, int count) {
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
        RamAccessor accessor = region.accessor();
        if (accessor != null) {
            return accessor.load(at, count);
        }
        if (region.hostAddress() == 0) {
            return 0;
        }
        long source = region.hostAddress() + at;
        return switch (count) {
            case Byte.BYTES -> UnsafeApi.getByte(source) & 0xFFL;
            case Short.BYTES -> littleEndian(UnsafeApi.getShort(source)) & 0xFFFFL;
            case Integer.BYTES -> littleEndian(UnsafeApi.getInt(source)) & 0xFFFF_FFFFL;
            default -> littleEndian(UnsafeApi.getLong(source));
        };
    }

    private static void storeTo(RamRegion region, long at, int count, long value) {
        ByteBuffer bytes = region.buffer();
        RamAccessor accessor = region.accessor();
        if (bytes != null) {
            storeToBuffer(bytes, (int) at, count, value);
        } else if (accessor != null) {
            accessor.store(at, count, value);
        } else if (region.hostAddress() != 0) {
            storeToAddress(region.hostAddress() + at, count, value);
        }
    }

    private static void storeToBuffer(ByteBuffer bytes, int index, int count, long value) {
        switch (count) {
            case Byte.BYTES -> bytes.put(index, (byte) value);
            case Short.BYTES -> bytes.putShort(index, (short) value);
            case Integer.BYTES -> bytes.putInt(index, (int) value);
            default -> bytes.putLong(index, value);
        }
    }

    private static void storeToAddress(long target, int count, long value) {
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
                                    + " java.base/jdk.internal.misc=ALL-UNNAMED lets it be reached"
                                    + " by address, which makes rings faster");
            return false;
        }
    }
}
