package io.aerostat.virtio.spec.balloon;

/**
 * The balloon's page unit (VIRTIO 1.4, 5.5.6): 4096 bytes, whatever the page size of guest and
 * host.
 */
public final class PageFrame {
    /** A page number is a guest-physical address shifted right by this. */
    public static final int SHIFT = 12;

    /** Bytes of a page. */
    public static final int BYTES = 1 << SHIFT;

    /** Bytes of a page number in a request: le32. */
    public static final int NUMBER_BYTES = Integer.BYTES;

    private PageFrame() {}
}
