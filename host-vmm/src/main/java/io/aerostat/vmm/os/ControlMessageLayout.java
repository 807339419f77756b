package io.aerostat.vmm.os;

/**
 * {@code struct cmsghdr} with descriptors behind it: a control message of kind SCM_RIGHTS, on
 * x86-64 and aarch64.
 *
 * <pre>
 *   offset  0  cmsg_len    8 bytes  header and data, without what pads the data to 8 bytes
 *   offset  8  cmsg_level  4 bytes
 *   offset 12  cmsg_type   4 bytes
 *   offset 16  data        4 bytes a descriptor
 * </pre>
 *
 * <p>Source: cmsg(3), unix(7).
 */
final class ControlMessageLayout {
    static final long LENGTH_OFFSET = 0;
    static final long LEVEL_OFFSET = LENGTH_OFFSET + Long.BYTES;
    static final long TYPE_OFFSET = LEVEL_OFFSET + Integer.BYTES;
    static final long DATA_OFFSET = TYPE_OFFSET + Integer.BYTES;

    private ControlMessageLayout() {}

    /** Bytes of a message with {@code count} descriptors, as its length field says it: CMSG_LEN. */
    static long length(int count) {
        return DATA_OFFSET + (long) count * Integer.BYTES;
    }

    /** Bytes that it takes of a buffer: CMSG_SPACE. */
    static long space(int count) {
        return (length(count) + Long.BYTES - 1) & -Long.BYTES;
    }

    /** How many descriptors a message has whose length field says {@code length}. */
    static int count(long length) {
        return (int) ((length - DATA_OFFSET) / Integer.BYTES);
    }

    /** Where the descriptor numbered {@code index} is. */
    static long offsetOf(int index) {
        return length(index);
    }
}
