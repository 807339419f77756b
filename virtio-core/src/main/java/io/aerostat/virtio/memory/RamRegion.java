package io.aerostat.virtio.memory;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A stretch of guest RAM: where the guest sees it, and where its bytes are. Immutable.
 *
 * <p>Guest address and length are multiples of {@value #PAGE_BYTES}, so that no naturally aligned
 * field can straddle two regions. The region keeps what it was made from reachable for as long as
 * it is reachable itself.
 */
public final class RamRegion {
    /** Unit of guest RAM in bytes. */
    public static final int PAGE_BYTES = 4096;

    private final long gpa;
    private final long length;
    private final long hostAddress;
    private final @Nullable ByteBuffer buffer;

    // Held, not read: keeps the memory behind hostAddress alive.
    @SuppressWarnings("unused")
    private final @Nullable Object owner;

    private RamRegion(
            long gpa,
            long length,
            long hostAddress,
            @Nullable ByteBuffer buffer,
            @Nullable Object owner) {
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
        this.hostAddress = hostAddress;
        this.buffer = buffer;
        this.owner = owner;
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
        return new RamRegion(gpa, length, address, null, owner);
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
        long address =
                buffer.isDirect() && RamAccess.supportsRawAddresses()
                        ? RamAccess.addressOf(view)
                        : 0;
        return new RamRegion(gpa, view.capacity(), address, view, buffer);
    }

    /** RAM in a byte array. */
    public static RamRegion ofArray(long gpa, byte[] bytes) {
        return ofBuffer(gpa, ByteBuffer.wrap(bytes));
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

    /**
     * Address of the first byte in this process, or 0 if the region is reached through {@link
     * #buffer()} alone.
     */
    long hostAddress() {
        return hostAddress;
    }

    /** The region's bytes as a little-endian buffer, or null if it has a raw address alone. */
    @Nullable ByteBuffer buffer() {
        return buffer;
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
