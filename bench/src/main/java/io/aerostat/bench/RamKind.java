package io.aerostat.bench;

import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamAccessor;
import io.aerostat.virtio.memory.RamRegion;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** How an emulator holds its guest's RAM. */
public enum RamKind {
    /** Memory that is known by its address alone; needs the JVM export. */
    RAW_ADDRESS,
    /**
     * One direct buffer: reached by its address with the JVM export, through the buffer without.
     */
    DIRECT_BUFFER,
    /** One byte array. */
    BYTE_ARRAY,
    /** Direct buffers end to end, cut so that each request lies across two. */
    ADJACENT_BUFFERS,
    /** Pages of byte arrays, 4 KiB each: each request lies across two. */
    PAGED_ARRAY,
    /** One byte array behind an accessor that has {@code load} and {@code store} and no more. */
    PLAIN_ACCESSOR;

    /** Tells whether all of it is one stretch of bytes that no accessor stands before. */
    boolean isFlat() {
        return this == RAW_ADDRESS || this == DIRECT_BUFFER || this == BYTE_ARRAY;
    }

    /**
     * RAM from guest address 0, without a gap. All sizes are multiples of 4096.
     *
     * @param length bytes
     * @param cutFrom where the part begins that {@link #ADJACENT_BUFFERS} has a buffer a page for
     * @param cutTo where it ends
     */
    List<RamRegion> regions(int length, int cutFrom, int cutTo) {
        return switch (this) {
            case RAW_ADDRESS -> List.of(atAddress(length));
            case DIRECT_BUFFER -> List.of(direct(0, length));
            case BYTE_ARRAY -> List.of(RamRegion.ofArray(0, new byte[length]));
            case ADJACENT_BUFFERS -> adjacent(length, cutFrom, cutTo);
            case PAGED_ARRAY -> List.of(RamRegion.ofAccessor(0, length, paged(length)));
            case PLAIN_ACCESSOR ->
                    List.of(RamRegion.ofAccessor(0, length, new PlainAccessor(length)));
        };
    }

    private static RamRegion atAddress(int length) {
        Arena arena = Arena.ofAuto();
        long address = arena.allocate(length, RamRegion.PAGE_BYTES).address();
        return RamRegion.ofAddress(0, length, address, arena);
    }

    private static RamRegion direct(long gpa, int length) {
        return RamRegion.ofBuffer(gpa, ByteBuffer.allocateDirect(length));
    }

    private static List<RamRegion> adjacent(int length, int cutFrom, int cutTo) {
        List<RamRegion> regions = new ArrayList<>();
        regions.add(direct(0, cutFrom));
        for (int at = cutFrom; at < cutTo; at += RamRegion.PAGE_BYTES) {
            regions.add(direct(at, RamRegion.PAGE_BYTES));
        }
        regions.add(direct(cutTo, length - cutTo));
        return regions;
    }

    /** Pages that are made when they are first stored to. */
    static RamAccessor paged(long length) {
        byte[][] pages = new byte[(int) (length / RamRegion.PAGE_BYTES)][];
        return new PagedArray(pages, RamRegion.PAGE_BYTES);
    }
}
