package io.aerostat.virtio.spec.balloon;

/** Feature bits of the balloon (VIRTIO 1.4, 5.5.3) as masks. */
public final class BalloonFeature {
    /** A page may be used again only after the device has confirmed its deflate request. */
    public static final long MUST_TELL_HOST = 1L;

    /** There is a statistics queue. */
    public static final long STATS_VQ = 1L << 1;

    /** The driver may take pages back under memory pressure. */
    public static final long DEFLATE_ON_OOM = 1L << 2;

    /** There is a free page hinting queue. */
    public static final long FREE_PAGE_HINT = 1L << 3;

    /** The driver fills pages with {@code poison_val}. */
    public static final long PAGE_POISON = 1L << 4;

    /** There is a free page reporting queue. */
    public static final long PAGE_REPORTING = 1L << 5;

    private BalloonFeature() {}
}
