package io.aerostat.virtio.memory;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;

/**
 * A stretch of guest RAM: where the guest sees it, and where its bytes are.
 *
 * <pre>
 *   ofAddress    memory of this process, by its address
 *   ofBuffer     a direct, mapped or heap buffer        by its address too, where the JVM allows it
 *   ofArray      a byte array
 *   ofPages      pages of byte arrays
 *   ofAccessor   whatever else the embedder's own memory is
 *   absent       nothing yet: a place that RAM may be attached to later
 * </pre>
 *
 * <p>Guest address and length are multiples of {@value #PAGE_BYTES}, so that no naturally aligned
 * field can straddle two regions. The region keeps what it was made from reachable until it is
 * detached ({@link GuestMemory#detach}), and from then on has no bytes, for ever: it alone knows
 * where they were, so that nobody can reach them any more. Nothing else about it ever changes. A
 * region belongs to one {@link GuestMemory}.
 */
public final class RamRegion {
    /** Unit of guest RAM in bytes. */
    public static final int PAGE_BYTES = 4096;

    private final long gpa;
    private final long length;

    // Where the bytes are: one of the three, or an address and a buffer. All gone once detached.
    private long hostAddress;
    private @Nullable ByteBuffer buffer;
    private @Nullable IntBuffer ints;
    private @Nullable RamAccessor accessor;
    private boolean attached;

    // Held, not read: keeps the memory behind hostAddress alive.
    @SuppressWarnings({"unused", "FieldCanBeLocal"})
    private @Nullable Object owner;

    private RamRegion(long gpa, long length) {
        boolean wraps = length > 0 && gpa > Long.MAX_VALUE - length;
        if (gpa < 0 || length <= 0 || wraps || gpa % PAGE_BYTES != 0 || length % PAGE_BYTES != 0) {
            throw new IllegalArgumentException(
                    "RAM region must be whole 4096-byte pages below 2^63: gpa="
                            + gpa
                            + ", length="
                            + length);
        }
        this.gpa = gpa;
        this.length = length;
    }

    /**
     * RAM at a raw address of this process.
     *
     * @param gpa guest-physical address, a multiple of {@value #PAGE_BYTES}
     * @param length bytes, a multiple of {@value #PAGE_BYTES}
     * @param address address of the first byte
     * @param owner what must stay reachable so that the memory stays mapped, or null
     * @throws UnsupportedOperationException if raw addresses are not open to this JVM, see {@link
     *     RamAccess#supportsRawAddresses()}
     */
    public static RamRegion ofAddress(long gpa, long length, long address, @Nullable Object owner) {
        if (!RamAccess.supportsRawAddresses()) {
            throw new UnsupportedOperationException(
                    "RAM at a raw address needs --add-exports"
                        + " java.base/jdk.internal.misc=ALL-UNNAMED; without it give a ByteBuffer"
                        + " or byte[]");
        }
        if (address <= 0 || address % Long.BYTES != 0) {
            throw new IllegalArgumentException(
                    "RAM needs an address that is a multiple of 8: address=" + address);
        }
        RamRegion region = new RamRegion(gpa, length);
        region.hostAddress = address;
        region.owner = owner;
        region.attached = true;
        return region;
    }

    /**
     * RAM in a direct, mapped or heap buffer: all bytes from index 0 to its capacity. Position,
     * limit and byte order of the buffer are neither used nor changed.
     */
    public static RamRegion ofBuffer(long gpa, ByteBuffer buffer) {
        if (buffer.isReadOnly()) {
            throw new IllegalArgumentException("guest RAM must be writable: buffer=" + buffer);
        }
        int misaligned =
                buffer.isDirect()
                        ? buffer.alignmentOffset(0, Long.BYTES)
                        : buffer.arrayOffset() % Long.BYTES;
        if (misaligned != 0) {
            throw new IllegalArgumentException(
                    "guest RAM must start at a multiple of 8 bytes: buffer=" + buffer);
        }
        ByteBuffer view = buffer.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN);
        RamRegion region = new RamRegion(gpa, view.capacity());
        region.buffer = view;
        region.ints = view.asIntBuffer();
        region.owner = buffer;
        region.attached = true;
        if (buffer.isDirect() && RamAccess.supportsRawAddresses()) {
            region.hostAddress = RamAccess.addressOf(view);
        }
        return region;
    }

    /** RAM in a byte array. */
    public static RamRegion ofArray(long gpa, byte[] bytes) {
        return ofBuffer(gpa, ByteBuffer.wrap(bytes));
    }

    /** RAM in pages of byte arrays: all of them. */
    public static RamRegion ofPages(long gpa, PagedArray pages) {
        return ofAccessor(gpa, pages.length(), pages);
    }

    /**
     * RAM that only the embedder knows how to reach.
     *
     * @param length bytes, a multiple of {@value #PAGE_BYTES}
     * @param accessor answers for offsets 0 to {@code length} - 1
     * @throws IllegalArgumentException if it is a {@link PagedArray} of fewer bytes
     */
    public static RamRegion ofAccessor(long gpa, long length, RamAccessor accessor) {
        if (accessor instanceof PagedArray pages && pages.length() < length) {
            throw new IllegalArgumentException(
                    "pages must be as many as the region: length="
                            + length
                            + ", pages="
                            + pages.length());
        }
        RamRegion region = new RamRegion(gpa, length);
        region.accessor = accessor;
        region.attached = true;
        return region;
    }

    /**
     * A place without RAM, which can be attached there later ({@link GuestMemory#attach}): a guest
     * that names it meets what is not RAM.
     */
    public static RamRegion absent(long gpa, long length) {
        return new RamRegion(gpa, length);
    }

    /** Guest-physical address of the first byte. */
    public long gpa() {
        return gpa;
    }

    /** Bytes of the region. */
    public long length() {
        return length;
    }

    /** Guest-physical address behind the last byte. */
    public long end() {
        return gpa + length;
    }

    /** Tells whether there are bytes: neither {@link #absent} nor detached. */
    public boolean isAttached() {
        return attached;
    }

    /**
     * Address of the first byte in this process; 0 if the region is detached, or is reached in
     * another way.
     */
    public long hostAddress() {
        return hostAddress;
    }

    /**
     * The region's bytes as a little-endian buffer, from its first byte to its last; null if the
     * region is detached, or was not made from a buffer.
     */
    public @Nullable ByteBuffer buffer() {
        return buffer;
    }

    /** The bytes of {@link #buffer}, four at a time. */
    @Nullable IntBuffer ints() {
        return ints;
    }

    /**
     * What reaches the region's bytes; null if the region is detached, or was not made from an
     * accessor.
     */
    public @Nullable RamAccessor accessor() {
        return accessor;
    }

    /** Has no bytes from now on. Not while a window on them is in use. */
    void detach() {
        attached = false;
        hostAddress = 0;
        buffer = null;
        ints = null;
        accessor = null;
        owner = null;
    }

    @Override
    public String toString() {
        return "RamRegion[gpa=0x"
                + Long.toHexString(gpa)
                + ", length=0x"
                + Long.toHexString(length)
                + "]";
    }
}
