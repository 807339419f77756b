package io.aerostat.vmm.monitor.message;

/** The balloon in QEMU's tree of objects, by the names that clients know. */
public final class BalloonObject {
    /** Its path. */
    public static final String PATH = "/machine/peripheral/balloon0";

    /** Property: what the guest says of its memory. */
    public static final String STATISTICS = "guest-stats";

    /** Property: how often the guest is asked for it, in seconds; 0 if it is not. */
    public static final String PERIOD = "guest-stats-polling-interval";

    private BalloonObject() {}
}
