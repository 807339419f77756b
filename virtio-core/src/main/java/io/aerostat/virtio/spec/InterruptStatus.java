package io.aerostat.virtio.spec;

/** The causes of an interrupt in the MMIO InterruptStatus register (VIRTIO 1.4, 4.2.2). */
public final class InterruptStatus {
    /** The device has used a buffer of some queue. */
    public static final int USED_BUFFER_FLAG = 1;

    /** The device configuration, or the status field, has changed. */
    public static final int CONFIG_CHANGE_FLAG = 1 << 1;

    /** All defined causes. */
    public static final int DEFINED_MASK = USED_BUFFER_FLAG | CONFIG_CHANGE_FLAG;

    private InterruptStatus() {}
}
