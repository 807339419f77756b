package io.aerostat.virtio.spec.balloon;

/**
 * One entry of a statistics buffer (VIRTIO 1.4, 5.5.6.3), packed and little-endian: entries follow
 * each other without padding, so that values lie at any address.
 *
 * <pre>
 *   0      2                              10
 *  +------+------------------------------+
 *  | tag  | value                        |
 *  +------+------------------------------+
 * </pre>
 */
public final class StatEntryLayout {
    /** Which statistic it is: a {@link StatTag}, or one unknown here. */
    public static final int TAG_OFFSET = 0;

    /** Its value, 64 bits without sign. */
    public static final int VALUE_OFFSET = TAG_OFFSET + Short.BYTES;

    /** Bytes of an entry. */
    public static final int LENGTH = VALUE_OFFSET + Long.BYTES;

    private StatEntryLayout() {}
}
