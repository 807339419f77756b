package io.aerostat.virtio.spec;

/**
 * The available ring of a split queue of N entries (VIRTIO 1.4, 2.7.6): the driver writes it, the
 * device reads it. Little-endian, starts at a multiple of 2.
 *
 * <pre>
 *   0     2     4         4+2i        4+2N         6+2N
 *  +-----+-----+---------+-----------+------------+
 *  |flags| idx | ring[0] | .. ring[i]| used_event |
 *  |le16 |le16 |  le16   |     le16  |    le16    |
 *  +-----+-----+---------+-----------+------------+
 * </pre>
 */
public final class AvailableRingLayout {
    /** {@link #NO_INTERRUPT_FLAG}; 0 with EVENT_IDX. */
    public static final int FLAGS_OFFSET = 0;

    /** Free-running 16-bit count of the buffers made available. */
    public static final int IDX_OFFSET = FLAGS_OFFSET + Short.BYTES;

    /** First ring entry, the head of a chain. */
    public static final int RING_OFFSET = IDX_OFFSET + Short.BYTES;

    /** Alignment of the ring in bytes. */
    public static final int ALIGNMENT = 2;

    /** Without EVENT_IDX: the driver asks not to be interrupted (2.7.7). */
    public static final int NO_INTERRUPT_FLAG = 1;

    private AvailableRingLayout() {}

    /** Offset of ring entry {@code slot}. */
    public static int entryOffset(int slot) {
        return RING_OFFSET + slot * Short.BYTES;
    }

    /** Offset of {@code used_event} in a ring of {@code size} entries. */
    public static int usedEventOffset(int size) {
        return entryOffset(size);
    }

    /** Bytes of a ring of {@code size} entries. */
    public static int length(int size) {
        return usedEventOffset(size) + Short.BYTES;
    }
}
