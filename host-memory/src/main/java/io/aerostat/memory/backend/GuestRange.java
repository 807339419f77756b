package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The guest addresses that a backend answers for, and the unit in which it gives them back.
 * Immutable.
 *
 * @param gpa guest-physical address of the first byte, a multiple of {@code unitBytes}
 * @param length bytes, a multiple of {@code unitBytes}
 * @param unitBytes a power of two from 4096 up
 */
record GuestRange(long gpa, long length, int unitBytes) {
    /** Most bytes of a region in a buffer: 1 GiB, since a buffer has fewer than 2. */
    static final int MAX_BUFFER_BYTES = 1 << 30;

    GuestRange {
        boolean wraps = length > 0 && gpa > Long.MAX_VALUE - length;
        boolean wholeUnits = ((gpa | length) & (unitBytes - 1)) == 0;
        if (gpa < 0 || length <= 0 || wraps || !wholeUnits) {
            throw new IllegalArgumentException(
                    "guest RAM must be whole units below 2^63, so round it to them or choose"
                            + " smaller ones where the host has them: gpa=0x"
                            + (Long.toHexString(gpa) + ", bytes=" + length)
                            + (", unitBytes=" + unitBytes));
        }
    }

    /** Brings the bytes of a part of the range. */
    @FunctionalInterface
    interface BufferSource {
        /** A buffer of {@code bytes} bytes for what begins at {@code offset} in the range. */
        ByteBuffer buffer(long offset, int bytes);
    }

    /** Distance in bytes of {@code gpa} from the start; it must be inside. */
    long offsetOf(long gpa) {
        return gpa - this.gpa;
    }

    /** Refuses what is not whole units of this range; any values are welcome. */
    void check(long gpa, long bytes) {
        if (!isInside(gpa, bytes) || ((gpa | bytes) & (unitBytes - 1)) != 0) {
            throw new IllegalArgumentException(
                    ("not whole units inside this RAM: gpa=0x" + Long.toHexString(gpa))
                            + (", bytes=" + bytes + ", ram=" + this));
        }
    }

    private boolean isInside(long gpa, long bytes) {
        long offset = gpa - this.gpa;
        return offset >= 0 && bytes >= 0 && offset <= length - bytes;
    }

    /** Refuses a list of which any part is not inside this range. */
    void checkInside(PageRanges ranges) {
        for (int i = 0; i < ranges.count(); i++) {
            if (!isInside(ranges.gpa(i), ranges.bytes(i))) {
                throw new IllegalArgumentException(
                        "not inside this RAM: ranges=" + ranges + ", ram=" + this);
            }
        }
    }

    /** Refuses a list of which any part is not whole units of this range. */
    void check(PageRanges ranges) {
        for (int i = 0; i < ranges.count(); i++) {
            check(ranges.gpa(i), ranges.bytes(i));
        }
    }

    /** Guest memory in buffers, in as many adjacent regions of {@code maxBytes} as it takes. */
    GuestMemory inBuffers(int maxBytes, BufferSource source) {
        return memoryOf(buffers(maxBytes, source));
    }

    /** The range in as many buffers of {@code maxBytes} as it takes, little-endian. */
    List<ByteBuffer> buffers(int maxBytes, BufferSource source) {
        List<ByteBuffer> buffers = new ArrayList<>();
        for (long offset = 0; offset < length; offset += maxBytes) {
            int bytes = (int) Math.min(maxBytes, length - offset);
            buffers.add(source.buffer(offset, bytes).order(ByteOrder.LITTLE_ENDIAN));
        }
        return List.copyOf(buffers);
    }

    /** Guest memory in these buffers, which are as long as the range: a region each. */
    GuestMemory memoryOf(List<ByteBuffer> buffers) {
        RamRegion[] regions = new RamRegion[buffers.size()];
        long at = gpa;
        for (int i = 0; i < regions.length; i++) {
            regions[i] = RamRegion.ofBuffer(at, buffers.get(i));
            at = regions[i].end();
        }
        return GuestMemory.of(regions);
    }

    /** Views of buffers, whose positions and limits are the caller's own; little-endian. */
    static List<ByteBuffer> views(List<ByteBuffer> buffers) {
        return buffers.stream()
                .map(buffer -> buffer.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN))
                .toList();
    }

    @Override
    public String toString() {
        return "[gpa=0x"
                + Long.toHexString(gpa)
                + ", bytes="
                + length
                + ", unitBytes="
                + unitBytes
                + "]";
    }
}
