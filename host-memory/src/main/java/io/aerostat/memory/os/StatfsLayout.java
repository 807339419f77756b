package io.aerostat.memory.os;

/**
 * {@code struct statfs}, as far as it is used; on x86-64 and aarch64.
 *
 * <pre>
 *   offset 0  f_type   8 bytes
 *   offset 8  f_bsize  8 bytes
 *   length 120
 * </pre>
 *
 * <p>Source: fstatfs(2), asm-generic/statfs.h.
 */
final class StatfsLayout {
    static final long TYPE_OFFSET = 0;
    static final long BLOCK_BYTES_OFFSET = TYPE_OFFSET + Long.BYTES;
    static final long LENGTH = 120;

    private StatfsLayout() {}
}
