package io.aerostat.virtio.spec;

/**
 * The used ring of a split queue of N entries (VIRTIO 1.4, 2.7.8): the device writes it, the driver
 * reads it. Little-endian, starts at a multiple of 4.
 *
 * <pre>
 *   0     2     4       8        4+8i              4+8N          6+8N
 *  +-----+-----+-------+--------+-----------------+-------------+
 *  |flags| idx | id[0] | len[0] | .. id[i] len[i] | avail_event |
 *  |le16 |le16 | le32  |  le32  |                 |    le16     |
 *  +-----+-----+-------+--------+-----------------+-------------+
 * </pre>
 */
public final class UsedRingLayout {
    /** {@link #NO_NOTIFY_FLAG}; 0 with EVENT_IDX. */
    public static final int FLAGS_OFFSET = 0;

    /** Free-running 16-bit count of the buffers used. */
    public static final int IDX_OFFSET = FLAGS_OFFSET + Short.BYTES;

    /** First used element. */
    public static final int RING_OFFSET = IDX_OFFSET + Short.BYTES;

    /** In an element: head of the chain that was used. */
    public static final int ELEMENT_ID_OFFSET = 0;

    /** In an element: bytes written into the chain's device-writable part. */
    public static final int ELEMENT_LENGTH_OFFSET = ELEMENT_ID_OFFSET + Integer.BYTES;

    /** Bytes of a used element. */
    public static final int ELEMENT_LENGTH = ELEMENT_LENGTH_OFFSET + Integer.BYTES;

    /** Alignment of the ring in bytes. */
    public static final int ALIGNMENT = 4;

    /** Without EVENT_IDX: the device asks not to be kicked (2.7.10). */
    public static final int NO_NOTIFY_FLAG = 1;

    private UsedRingLayout() {}

    /** Offset of used element {@code slot}. */
    public static int elementOffset(int slot) {
        return RING_OFFSET + slot * ELEMENT_LENGTH;
    }

    /** Offset of {@code avail_event} in a ring of {@code size} elements. */
    public static int availEventOffset(int size) {
        return elementOffset(size);
    }

    /** Bytes of a ring of {@code size} elements. */
    public static int length(int size) {
        return availEventOffset(size) + Short.BYTES;
    }
}
