package io.aerostat.vmm.frontend;

/**
 * In which order, and how, a front-end says what has to be said. Stateful: for one device. One
 * thread's.
 */
public sealed interface Dialect permits UmlDialect, QemuDialect {
    /** What follows the connection, before there is a driver. */
    void greet(VhostDevice device);

    /** The features on offer to the driver, without the bit that belongs to the front-end. */
    long offeredFeatures(VhostDevice device);

    /**
     * The driver has taken features.
     *
     * @return false if the back-end refuses them, as far as it is asked
     */
    boolean takeFeatures(VhostDevice device, long features);

    /** DRIVER_OK: memory and the rings that have a place. */
    void start(VhostDevice device);

    /** The driver lets go. */
    void stop(VhostDevice device);

    /** The 32-bit configuration field at an offset. */
    int readConfig(VhostDevice device, int offset);

    /** The driver writes the 32-bit configuration field at an offset. */
    void writeConfig(VhostDevice device, int offset, int value);
}
