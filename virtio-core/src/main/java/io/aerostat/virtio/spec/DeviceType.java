package io.aerostat.virtio.spec;

/** Virtio device ids (VIRTIO 1.4, 5). */
public final class DeviceType {
    /** A placeholder slot: there is no device, and that is not an error (4.2.2.2). */
    public static final int NONE = 0;

    /** Traditional memory balloon (5.5.1). */
    public static final int BALLOON = 5;

    private DeviceType() {}
}
