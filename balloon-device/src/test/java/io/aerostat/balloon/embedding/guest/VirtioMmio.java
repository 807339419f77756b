package io.aerostat.balloon.embedding.guest;

/** The guest's header file: virtio-mmio registers and bits (VIRTIO 1.4, 2.1, 4.2.2, 6). */
public final class VirtioMmio {
    public static final int MAGIC_VALUE = 0x000;
    public static final int VERSION = 0x004;
    public static final int DEVICE_ID = 0x008;
    public static final int DEVICE_FEATURES = 0x010;
    public static final int DEVICE_FEATURES_SEL = 0x014;
    public static final int DRIVER_FEATURES = 0x020;
    public static final int DRIVER_FEATURES_SEL = 0x024;
    public static final int QUEUE_SEL = 0x030;
    public static final int QUEUE_SIZE_MAX = 0x034;
    public static final int QUEUE_SIZE = 0x038;
    public static final int QUEUE_READY = 0x044;
    public static final int QUEUE_NOTIFY = 0x050;
    public static final int INTERRUPT_STATUS = 0x060;
    public static final int INTERRUPT_ACK = 0x064;
    public static final int STATUS = 0x070;
    public static final int QUEUE_DESC = 0x080;
    public static final int QUEUE_DRIVER = 0x090;
    public static final int QUEUE_DEVICE = 0x0a0;
    public static final int CONFIG_GENERATION = 0x0fc;
    public static final int CONFIG = 0x100;

    public static final int MAGIC = 0x74726976;
    public static final int BALLOON_ID = 5;

    public static final int ACKNOWLEDGE = 1;
    public static final int DRIVER = 2;
    public static final int DRIVER_OK = 4;
    public static final int FEATURES_OK = 8;
    public static final int NEEDS_RESET = 64;

    public static final int USED_BUFFER = 1;
    public static final int CONFIG_CHANGE = 2;

    public static final long MUST_TELL_HOST = 1;
    public static final long STATS_VQ = 1L << 1;
    public static final long FREE_PAGE_HINT = 1L << 3;
    public static final long PAGE_REPORTING = 1L << 5;
    public static final long INDIRECT_DESC = 1L << 28;
    public static final long EVENT_IDX = 1L << 29;
    public static final long VERSION_1 = 1L << 32;

    private VirtioMmio() {}
}
