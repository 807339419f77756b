package io.aerostat.vmm.vhost.message;

/**
 * The payload of SET_MEM_TABLE. The first field after the header starts at 4 modulo 8 of the whole
 * message, so that no 64-bit field of the message is aligned.
 *
 * <pre>
 *   0       4         8                  8 + 32 * count
 *  +-------+---------+------------------+
 *  | count | padding | regions          |
 *  +-------+---------+------------------+
 *
 *   region:
 *   0               8      16             24            32
 *  +---------------+------+--------------+-------------+
 *  | guest address | size | user address | mmap offset |
 *  +---------------+------+--------------+-------------+
 * </pre>
 */
public final class MemoryTableLayout {
    /** Regions in the table; each has a descriptor, in the same order. */
    public static final int COUNT_OFFSET = 0;

    /** The first region. */
    public static final int REGIONS_OFFSET = COUNT_OFFSET + 2 * Integer.BYTES;

    /** In a region: where the guest sees it. */
    public static final int GUEST_ADDRESS_OFFSET = 0;

    /** In a region: its bytes. */
    public static final int SIZE_OFFSET = GUEST_ADDRESS_OFFSET + Long.BYTES;

    /** In a region: where the front-end sees it. */
    public static final int USER_ADDRESS_OFFSET = SIZE_OFFSET + Long.BYTES;

    /** In a region: where in the file it begins. */
    public static final int MMAP_OFFSET_OFFSET = USER_ADDRESS_OFFSET + Long.BYTES;

    /** Bytes of a region. */
    public static final int REGION_LENGTH = MMAP_OFFSET_OFFSET + Long.BYTES;

    /** Most regions of a table without CONFIGURE_MEM_SLOTS. */
    public static final int MAX_REGIONS = 8;

    private MemoryTableLayout() {}

    /** Bytes of a table with so many regions. */
    public static int length(int count) {
        return REGIONS_OFFSET + count * REGION_LENGTH;
    }
}
