package io.aerostat.virtio.testkit;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import org.agrona.BufferUtil;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Guest RAM of a chosen kind, with a look at its bytes that goes past the code under test.
 *
 * <p>All kinds have {@link #length} bytes of RAM without a gap from {@link #base}; {@link
 * Kind#WITH_HOLE} has more behind a gap. Everything starts at 0.
 */
public final class GuestRam {
    /** How the bytes are held. */
    public enum Kind {
        /** One region that is known by its address alone; needs the JVM export. */
        RAW_ADDRESS,
        /** One region in a direct buffer: raw accesses with the JVM export, the buffer without. */
        DIRECT_BUFFER,
        /** One region in a byte array, never by address. */
        BYTE_ARRAY,
        /** A region for each page, arrays and direct buffers by turns; the 17th holds the rest. */
        ADJACENT_REGIONS,
        /** A byte array as in {@link #BYTE_ARRAY}, a gap of one page, and one page more. */
        WITH_HOLE,
        /** Pages of byte arrays behind an accessor; none is there before it is stored to. */
        PAGED_ARRAY
    }

    /** Guest address of the first byte, unless another is asked for. */
    public static final long DEFAULT_BASE = 0x10000;

    /** Bytes of a page. */
    public static final int PAGE = 4096;

    private static final int SINGLE_PAGE_REGIONS = 16;

    private final Kind kind;
    private final long base;
    private final int length;
    private final List<RamRegion> regions = new ArrayList<>();
    private final List<ByteBuffer> views = new ArrayList<>();
    private final byte[][] pages;
    private final GuestMemory memory;

    private GuestRam(Kind kind, long base, int length) {
        this.kind = kind;
        this.base = base;
        this.length = length;
        this.pages = new byte[kind == Kind.PAGED_ARRAY ? length / PAGE : 0][];
        switch (kind) {
            case RAW_ADDRESS -> addByAddress();
            case DIRECT_BUFFER -> addBuffer(base, ByteBuffer.allocateDirect(length));
            case BYTE_ARRAY -> addBuffer(base, ByteBuffer.allocate(length));
            case ADJACENT_REGIONS -> addPages();
            case WITH_HOLE -> {
                addBuffer(base, ByteBuffer.allocate(length));
                addBuffer(base + length + PAGE, ByteBuffer.allocate(PAGE));
            }
            case PAGED_ARRAY ->
                    regions.add(RamRegion.ofAccessor(base, length, new PagedArray(pages, PAGE)));
        }
        memory = GuestMemory.of(regions.toArray(RamRegion[]::new));
    }

    /** RAM of {@code length} bytes, a multiple of 4096, from {@link #DEFAULT_BASE}. */
    public static GuestRam of(Kind kind, int length) {
        return new GuestRam(kind, DEFAULT_BASE, length);
    }

    /** RAM of {@code length} bytes from guest address {@code base}, both multiples of 4096. */
    public static GuestRam of(Kind kind, long base, int length) {
        return new GuestRam(kind, base, length);
    }

    /** The kinds that this JVM can have: all, or all but {@link Kind#RAW_ADDRESS}. */
    public static Stream<Kind> kinds() {
        return Arrays.stream(Kind.values())
                .filter(kind -> kind != Kind.RAW_ADDRESS || RamAccess.supportsRawAddresses());
    }

    private void addByAddress() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length);
        views.add(buffer);
        regions.add(RamRegion.ofAddress(base, length, BufferUtil.address(buffer), buffer));
    }

    private void addPages() {
        int at = 0;
        for (int i = 0; at < length; i++) {
            int bytes = i < SINGLE_PAGE_REGIONS ? PAGE : length - at;
            ByteBuffer buffer =
                    i % 2 == 0 ? ByteBuffer.allocate(bytes) : ByteBuffer.allocateDirect(bytes);
            addBuffer(base + at, buffer);
            at += bytes;
        }
    }

    private void addBuffer(long gpa, ByteBuffer buffer) {
        views.add(buffer);
        regions.add(RamRegion.ofBuffer(gpa, buffer));
    }

    /** The memory to give to the code under test. */
    public GuestMemory memory() {
        return memory;
    }

    /** How the bytes are held. */
    public Kind kind() {
        return kind;
    }

    /** Guest address of the first byte. */
    public long base() {
        return base;
    }

    /** Bytes from {@link #base} that are RAM without a gap. */
    public int length() {
        return length;
    }

    /** Guest address behind the last byte before the gap, or before the end. */
    public long end() {
        return base + length;
    }

    /** The byte at {@code gpa}, 0 to 255. */
    public int peek(long gpa) {
        int region = regionOf(gpa);
        if (kind == Kind.PAGED_ARRAY) {
            byte[] page = pages[(int) ((gpa - base) / PAGE)];
            return page == null ? 0 : page[(int) ((gpa - base) % PAGE)] & 0xFF;
        }
        return views.get(region).get((int) (gpa - regions.get(region).gpa())) & 0xFF;
    }

    /** The {@code count} bytes from {@code gpa}. */
    public byte[] bytes(long gpa, int count) {
        byte[] copy = new byte[count];
        for (int i = 0; i < count; i++) {
            copy[i] = (byte) peek(gpa + i);
        }
        return copy;
    }

    /** Stores {@code values}, each 0 to 255 (or -128 to 127), from {@code gpa}. */
    public void poke(long gpa, int... values) {
        for (int i = 0; i < values.length; i++) {
            int region = regionOf(gpa + i);
            if (kind == Kind.PAGED_ARRAY) {
                pokePage(gpa + i - base, (byte) values[i]);
                continue;
            }
            views.get(region).put((int) (gpa + i - regions.get(region).gpa()), (byte) values[i]);
        }
    }

    private void pokePage(long offset, byte value) {
        int index = (int) (offset / PAGE);
        if (pages[index] == null) {
            pages[index] = new byte[PAGE];
        }
        pages[index][(int) (offset % PAGE)] = value;
    }

    /** Stores {@code value} in {@code count} bytes from {@code gpa}. */
    public void fill(long gpa, long count, int value) {
        for (long i = 0; i < count; i++) {
            poke(gpa + i, value);
        }
    }

    /** The le16 at {@code gpa}, zero-extended. */
    public int le16(long gpa) {
        return peek(gpa) | peek(gpa + 1) << 8;
    }

    /** The le32 at {@code gpa}. */
    public int le32(long gpa) {
        return le16(gpa) | le16(gpa + 2) << 16;
    }

    /** The le64 at {@code gpa}. */
    public long le64(long gpa) {
        return Integer.toUnsignedLong(le32(gpa)) | (long) le32(gpa + 4) << 32;
    }

    /** Stores a le16 at {@code gpa}. */
    public void putLe16(long gpa, int value) {
        poke(gpa, value, value >> 8);
    }

    /** Stores a le32 at {@code gpa}. */
    public void putLe32(long gpa, int value) {
        poke(gpa, value, value >> 8, value >> 16, value >> 24);
    }

    /** Stores a le64 at {@code gpa}. */
    public void putLe64(long gpa, long value) {
        putLe32(gpa, (int) value);
        putLe32(gpa + 4, (int) (value >> 32));
    }

    private int regionOf(long gpa) {
        for (int i = 0; i < regions.size(); i++) {
            long offset = gpa - regions.get(i).gpa();
            if (offset >= 0 && offset < regions.get(i).length()) {
                return i;
            }
        }
        throw new IllegalArgumentException("not RAM: gpa=0x" + Long.toHexString(gpa));
    }

    @Override
    public String toString() {
        return kind + " at 0x" + Long.toHexString(base);
    }
}
