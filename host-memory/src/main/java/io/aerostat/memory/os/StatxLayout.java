package io.aerostat.memory.os;

/**
 * {@code struct statx}, as far as it is used; the same on every architecture.
 *
 * <pre>
 *   offset  32  stx_ino         8 bytes
 *   offset  40  stx_size        8 bytes
 *   offset  48  stx_blocks      8 bytes  in units of 512 bytes
 *   offset 136  stx_dev_major   4 bytes
 *   offset 140  stx_dev_minor   4 bytes
 *   length 256
 * </pre>
 *
 * <p>Source: statx(2), linux/stat.h.
 */
final class StatxLayout {
    static final long INODE_OFFSET = 32;
    static final long SIZE_OFFSET = INODE_OFFSET + Long.BYTES;
    static final long BLOCKS_OFFSET = SIZE_OFFSET + Long.BYTES;
    static final long DEVICE_MAJOR_OFFSET = 136;
    static final long DEVICE_MINOR_OFFSET = DEVICE_MAJOR_OFFSET + Integer.BYTES;
    static final long LENGTH = 256;

    /** Bytes of a unit of stx_blocks. */
    static final long BLOCK_BYTES = 512;

    private StatxLayout() {}
}
