package io.aerostat.vmm.os;

/**
 * {@code struct msghdr}, what sendmsg(2) and recvmsg(2) take; on x86-64 and aarch64.
 *
 * <pre>
 *   offset  0  msg_name        8 bytes  address of a peer's address, not used
 *   offset  8  msg_namelen     4 bytes, and 4 of padding
 *   offset 16  msg_iov         8 bytes  address of the vectors
 *   offset 24  msg_iovlen      8 bytes  how many
 *   offset 32  msg_control     8 bytes  address of the control messages
 *   offset 40  msg_controllen  8 bytes  their room; after recvmsg(2), what they take of it
 *   offset 48  msg_flags       4 bytes, and 4 of padding; set by recvmsg(2)
 * </pre>
 *
 * <p>Another C library than glibc has 4-byte lengths at 24 and 40, padded with zeros: the same in
 * little-endian order. Source: recvmsg(2).
 */
final class MessageHeaderLayout {
    static final long NAME_OFFSET = 0;
    static final long NAME_LENGTH_OFFSET = NAME_OFFSET + Long.BYTES;
    static final long VECTORS_OFFSET = NAME_LENGTH_OFFSET + Long.BYTES;
    static final long VECTOR_COUNT_OFFSET = VECTORS_OFFSET + Long.BYTES;
    static final long CONTROL_OFFSET = VECTOR_COUNT_OFFSET + Long.BYTES;
    static final long CONTROL_LENGTH_OFFSET = CONTROL_OFFSET + Long.BYTES;
    static final long FLAGS_OFFSET = CONTROL_LENGTH_OFFSET + Long.BYTES;
    static final long LENGTH = FLAGS_OFFSET + Long.BYTES;

    private MessageHeaderLayout() {}
}
