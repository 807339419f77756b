package io.aerostat.virtio.spec;

/**
 * The bits of the device status field (VIRTIO 1.4, 2.1). Only a reset, the write of 0, turns a bit
 * off.
 */
public final class DeviceStatus {
    /** The driver has found the device. */
    public static final int ACKNOWLEDGE_FLAG = 1;

    /** The driver knows how to drive the device. */
    public static final int DRIVER_FLAG = 1 << 1;

    /** The driver is set up; queues are live from here on (3.1.1). */
    public static final int DRIVER_OK_FLAG = 1 << 2;

    /** Feature negotiation is complete; reads back 0 when the device refuses the set (2.2.2). */
    public static final int FEATURES_OK_FLAG = 1 << 3;

    /** Set by the device: only a reset helps (2.1.2). */
    public static final int DEVICE_NEEDS_RESET_FLAG = 1 << 6;

    /** The driver has given up on the device. */
    public static final int FAILED_FLAG = 1 << 7;

    /**
     * What a driver may turn on by a status write; the rest belongs to the device or to features
     * that are not offered.
     */
    public static final int DRIVER_WRITABLE_MASK =
            ACKNOWLEDGE_FLAG | DRIVER_FLAG | DRIVER_OK_FLAG | FEATURES_OK_FLAG | FAILED_FLAG;

    private DeviceStatus() {}
}
