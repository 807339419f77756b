package io.aerostat.virtio.spec;

/**
 * Device-independent feature bits (VIRTIO 1.4, 6) as 64-bit masks, and the ranges that tell whom a
 * bit belongs to (2.2).
 *
 * <p>Bits 0-23, 42 and 50-63 belong to the device type, 24-40 and 43 to the queues and the
 * negotiation, 44-49 are held back; 41 is ADMIN_VQ.
 */
public final class Feature {
    /** A descriptor may point at a table of descriptors (2.7.5.3). */
    public static final long INDIRECT_DESC = 1L << 28;

    /** Notifications are suppressed by index instead of by flag (2.7.7, 2.7.10). */
    public static final long EVENT_IDX = 1L << 29;

    /** The modern interface. A device must offer it, a driver must take it. */
    public static final long VERSION_1 = 1L << 32;

    /**
     * The bits that belong to the device type: 0-23, 42 and 50-63; 41 is ADMIN_VQ, of all types but
     * on PCI alone.
     */
    public static final long DEVICE_TYPE_MASK = 0xFFFC_0400_00FF_FFFFL;

    /**
     * The device-independent bits that this implementation honours; all others are neither offered
     * nor accepted.
     */
    public static final long SUPPORTED_MASK = INDIRECT_DESC | EVENT_IDX | VERSION_1;

    private Feature() {}

    /**
     * Tells whether a driver may settle on {@code features} when {@code offered} was offered:
     * nothing that was not offered (2.2.1), and VERSION_1 among them (6.1). None of the bits known
     * here has another prerequisite.
     */
    public static boolean isValidSubset(long features, long offered) {
        return (features & ~offered) == 0 && (features & VERSION_1) != 0;
    }
}
