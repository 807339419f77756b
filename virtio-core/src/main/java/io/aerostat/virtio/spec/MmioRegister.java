package io.aerostat.virtio.spec;

import org.jspecify.annotations.Nullable;

/**
 * The control registers of a virtio-mmio window of version 2 (VIRTIO 1.4, 4.2.2). All are 32 bits
 * wide, little-endian and accessed aligned; the device's configuration follows at {@link
 * #CONFIG_OFFSET}.
 */
public enum MmioRegister {
    /** Reads {@link #MAGIC}. */
    MAGIC_VALUE(0x000, Access.READ),
    /** Reads {@link #MODERN_VERSION}. */
    VERSION(0x004, Access.READ),
    /** A {@link DeviceType}; 0 is a placeholder. */
    DEVICE_ID(0x008, Access.READ),
    /** Free choice of the implementer. */
    VENDOR_ID(0x00c, Access.READ),
    /** The word of the offered features that DeviceFeaturesSel names. */
    DEVICE_FEATURES(0x010, Access.READ),
    /** Selects the word of {@link #DEVICE_FEATURES}. */
    DEVICE_FEATURES_SEL(0x014, Access.WRITE),
    /** The word of the accepted features that DriverFeaturesSel names. */
    DRIVER_FEATURES(0x020, Access.WRITE),
    /** Selects the word of {@link #DRIVER_FEATURES}. */
    DRIVER_FEATURES_SEL(0x024, Access.WRITE),
    /** Selects the queue of the queue registers below. */
    QUEUE_SEL(0x030, Access.WRITE),
    /** Largest size of the selected queue; 0: there is no such queue. */
    QUEUE_SIZE_MAX(0x034, Access.READ),
    /** Size of the selected queue. */
    QUEUE_SIZE(0x038, Access.WRITE),
    /** 1: the selected queue is live. */
    QUEUE_READY(0x044, Access.READ_WRITE),
    /** The kick: the index of a queue with new buffers. */
    QUEUE_NOTIFY(0x050, Access.WRITE),
    /** Causes of the interrupt, see {@link InterruptStatus}. */
    INTERRUPT_STATUS(0x060, Access.READ),
    /** Clears the causes that it names. */
    INTERRUPT_ACK(0x064, Access.WRITE),
    /** The device status field, see {@link DeviceStatus}; writing 0 resets the device. */
    STATUS(0x070, Access.READ_WRITE),
    /** Descriptor table of the selected queue, low word. */
    QUEUE_DESC_LOW(0x080, Access.WRITE),
    /** Descriptor table of the selected queue, high word. */
    QUEUE_DESC_HIGH(0x084, Access.WRITE),
    /** Available ring of the selected queue, low word. */
    QUEUE_DRIVER_LOW(0x090, Access.WRITE),
    /** Available ring of the selected queue, high word. */
    QUEUE_DRIVER_HIGH(0x094, Access.WRITE),
    /** Used ring of the selected queue, low word. */
    QUEUE_DEVICE_LOW(0x0a0, Access.WRITE),
    /** Used ring of the selected queue, high word. */
    QUEUE_DEVICE_HIGH(0x0a4, Access.WRITE),
    /** Selects a shared memory region. */
    SHM_SEL(0x0ac, Access.WRITE),
    /** Length of the shared memory region, low word; all ones: there is none. */
    SHM_LEN_LOW(0x0b0, Access.READ),
    /** Length of the shared memory region, high word. */
    SHM_LEN_HIGH(0x0b4, Access.READ),
    /** Base of the shared memory region, low word; all ones: there is none. */
    SHM_BASE_LOW(0x0b8, Access.READ),
    /** Base of the shared memory region, high word. */
    SHM_BASE_HIGH(0x0bc, Access.READ),
    /** Changes whenever two configuration reads could see different versions. */
    CONFIG_GENERATION(0x0fc, Access.READ);

    /** Which way a register may be accessed. */
    public enum Access {
        /** By reads only. */
        READ,
        /** By writes only. */
        WRITE,
        /** Both ways. */
        READ_WRITE
    }

    /** The value of {@link #MAGIC_VALUE}: "virt" in ASCII. */
    public static final int MAGIC = 0x74726976;

    /** The value of {@link #VERSION} on the modern interface. */
    public static final int MODERN_VERSION = 2;

    /** Offset of the device configuration in the window. */
    public static final int CONFIG_OFFSET = 0x100;

    private static final @Nullable MmioRegister[] BY_WORD =
            new @Nullable MmioRegister[CONFIG_OFFSET / Integer.BYTES];

    static {
        for (MmioRegister register : values()) {
            BY_WORD[register.offset / Integer.BYTES] = register;
        }
    }

    private final int offset;
    private final Access access;

    MmioRegister(int offset, Access access) {
        this.offset = offset;
        this.access = access;
    }

    /** Offset of the register in the window, in bytes. */
    public int offset() {
        return offset;
    }

    /** Which way the register may be accessed. */
    public Access access() {
        return access;
    }

    /**
     * The register at an offset, or null where the standard documents none: between registers,
     * misaligned, negative, or past the control registers.
     */
    public static @Nullable MmioRegister at(long offset) {
        if (offset < 0 || offset >= CONFIG_OFFSET || (offset & 3) != 0) {
            return null;
        }
        return BY_WORD[(int) offset / Integer.BYTES];
    }
}
