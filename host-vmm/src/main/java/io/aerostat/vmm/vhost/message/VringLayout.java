package io.aerostat.vmm.vhost.message;

/**
 * The payloads of the messages about one ring.
 *
 * <pre>
 *   state (NUM, BASE, ENABLE):    0       4       8
 *                                +-------+-------+
 *                                | index | value |
 *                                +-------+-------+
 *
 *   addresses (ADDR):             0       4       8            16     24          32    40
 *                                +-------+-------+------------+------+-----------+-----+
 *                                | index | flags | descriptor | used | available | log |
 *                                +-------+-------+------------+------+-----------+-----+
 *
 *   descriptor (KICK, CALL, ERR): 0                     8
 *                                +---------------------+    bits 7..0  index
 *                                | index, no-fd        |    bit  8     comes without a descriptor
 *                                +---------------------+
 * </pre>
 *
 * <p>Mind the order of used and available ring.
 */
public final class VringLayout {
    /** Of a state or addresses: which ring. */
    public static final int INDEX_OFFSET = 0;

    /** Of a state: the value. */
    public static final int VALUE_OFFSET = INDEX_OFFSET + Integer.BYTES;

    /** Bytes of a state. */
    public static final int STATE_LENGTH = VALUE_OFFSET + Integer.BYTES;

    /** Of addresses: flags; bit 0 asks for a log of what is written. */
    public static final int FLAGS_OFFSET = INDEX_OFFSET + Integer.BYTES;

    /** Of addresses: the descriptor table, as the front-end sees it. */
    public static final int DESCRIPTOR_OFFSET = FLAGS_OFFSET + Integer.BYTES;

    /** Of addresses: the used ring, as the front-end sees it. */
    public static final int USED_OFFSET = DESCRIPTOR_OFFSET + Long.BYTES;

    /** Of addresses: the available ring, as the front-end sees it. */
    public static final int AVAILABLE_OFFSET = USED_OFFSET + Long.BYTES;

    /** Of addresses: the log; set to anything if it is not asked for. */
    public static final int LOG_OFFSET = AVAILABLE_OFFSET + Long.BYTES;

    /** Bytes of addresses. */
    public static final int ADDRESSES_LENGTH = LOG_OFFSET + Long.BYTES;

    /** Of a descriptor's message: which ring. */
    public static final long INDEX_MASK = 0xFF;

    /** Of a descriptor's message: there is no descriptor. */
    public static final long NO_DESCRIPTOR_FLAG = 1L << 8;

    /** Rings that the protocol can name: the index of a descriptor's message has 8 bits. */
    public static final int MAX_RINGS = 256;

    private VringLayout() {}
}
