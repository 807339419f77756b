package io.aerostat.virtio.spec;

/**
 * A split-ring descriptor (VIRTIO 1.4, 2.7.5), 16 bytes, little-endian; a table of them starts at a
 * multiple of 16.
 *
 * <pre>
 *   0               8       12    14     16
 *  +---------------+-------+-----+------+
 *  | addr     le64 | len   |flags| next |
 *  |               | le32  |le16 | le16 |
 *  +---------------+-------+-----+------+
 * </pre>
 */
public final class DescriptorLayout {
    /** Guest-physical address of the element. */
    public static final int ADDRESS_OFFSET = 0;

    /** Length of the element in bytes. */
    public static final int LENGTH_OFFSET = ADDRESS_OFFSET + Long.BYTES;

    /** {@link #NEXT_FLAG}, {@link #WRITE_FLAG}, {@link #INDIRECT_FLAG}. */
    public static final int FLAGS_OFFSET = LENGTH_OFFSET + Integer.BYTES;

    /** Index of the chain's next descriptor, if {@link #NEXT_FLAG} is on. */
    public static final int NEXT_OFFSET = FLAGS_OFFSET + Short.BYTES;

    /** Bytes of a descriptor. */
    public static final int LENGTH = NEXT_OFFSET + Short.BYTES;

    /** Alignment of a descriptor table in bytes. */
    public static final int ALIGNMENT = 16;

    /** The chain goes on at {@code next}. */
    public static final int NEXT_FLAG = 1;

    /** The device writes the element; off, the device reads it. */
    public static final int WRITE_FLAG = 1 << 1;

    /** The element is a table of descriptors (2.7.5.3). */
    public static final int INDIRECT_FLAG = 1 << 2;

    private DescriptorLayout() {}

    /** Offset of descriptor {@code index} in its table. */
    public static long offset(int index) {
        return (long) index * LENGTH;
    }
}
