package io.aerostat.virtio.spec.balloon;

/**
 * The balloon's configuration space (VIRTIO 1.4, 5.5.4), little-endian, in units of 4096-byte
 * pages.
 *
 * <pre>
 *   0           4        8                       12           16
 *  +-----------+--------+-----------------------+------------+
 *  | num_pages | actual | free_page_hint_cmd_id | poison_val |
 *  +-----------+--------+-----------------------+------------+
 *    device      driver   device, with            driver, with
 *    writes      writes   FREE_PAGE_HINT          PAGE_POISON
 * </pre>
 */
public final class BalloonConfigLayout {
    /** Pages that the host wants in the balloon. */
    public static final int NUM_PAGES_OFFSET = 0;

    /** Pages that the driver says are in the balloon. */
    public static final int ACTUAL_OFFSET = NUM_PAGES_OFFSET + Integer.BYTES;

    /** Command of the free page hinting; exists with FREE_PAGE_HINT. */
    public static final int FREE_PAGE_HINT_CMD_ID_OFFSET = ACTUAL_OFFSET + Integer.BYTES;

    /** Fill value of free pages; exists with PAGE_POISON. */
    public static final int POISON_VAL_OFFSET = FREE_PAGE_HINT_CMD_ID_OFFSET + Integer.BYTES;

    /** Bytes of the configuration space with every field. */
    public static final int LENGTH = POISON_VAL_OFFSET + Integer.BYTES;

    private BalloonConfigLayout() {}
}
