package io.aerostat.vmm.monitor.message;

/** Our own commands, in the name space that QMP leaves to others. */
public final class AerostatCommands {
    /** All that the host knows about the guest. No arguments. */
    public static final String REPORT = "__io.aerostat_report";

    /**
     * Sets the guest's size, and is answered when the guest has it or it is clear why not. {@code
     * size} in bytes; {@code deadline-ms}, 30,000 if absent. Returns an {@link OutcomeJson}.
     */
    public static final String SET_MEMORY = "__io.aerostat_set-memory";

    /**
     * The {@code figures} that the guest supplied, their {@code age-ms} and {@code last-update} in
     * seconds since 1970; or {@code description}, why there are none. With a {@code deadline-ms}
     * the guest is asked for new ones, and if it does not answer there is a {@code reason} too;
     * without it these are the latest.
     */
    public static final String STATISTICS = "__io.aerostat_statistics";

    private AerostatCommands() {}
}
