package io.aerostat.vmm.vhost.message;

/**
 * What every message begins with, in both directions.
 *
 * <pre>
 *   0         4       8              12
 *  +---------+-------+--------------+----------
 *  | request | flags | payload size | payload
 *  +---------+-------+--------------+----------
 *
 *   flags:  bits 1..0  version, 1
 *           bit  2     a reply
 *           bit  3     the sender wants an acknowledgement
 * </pre>
 */
public final class HeaderLayout {
    /** Which request it is: a {@link Request}'s number. */
    public static final int REQUEST_OFFSET = 0;

    /** Version and flags. */
    public static final int FLAGS_OFFSET = REQUEST_OFFSET + Integer.BYTES;

    /** Bytes that follow the header. */
    public static final int SIZE_OFFSET = FLAGS_OFFSET + Integer.BYTES;

    /** Bytes of a header. */
    public static final int LENGTH = SIZE_OFFSET + Integer.BYTES;

    /** The flags' part that is the version. */
    public static final int VERSION_MASK = 3;

    /** The one version there is. */
    public static final int VERSION = 1;

    /** The message is a reply. */
    public static final int REPLY_FLAG = 1 << 2;

    /** The sender wants an acknowledgement, if the request has no reply of its own. */
    public static final int NEED_REPLY_FLAG = 1 << 3;

    /**
     * The flags of a reply, to the bit: front-ends compare the whole word, so that NEED_REPLY is
     * not repeated.
     */
    public static final int REPLY_FLAGS = VERSION | REPLY_FLAG;

    private HeaderLayout() {}
}
