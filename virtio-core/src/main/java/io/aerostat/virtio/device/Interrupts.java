package io.aerostat.virtio.device;

/**
 * What a device tells its driver. Implemented by the transport; called by the device's owner. Never
 * blocks.
 */
public interface Interrupts {
    /** Buffers of a queue were used, and the driver wants to know. */
    void usedBuffer(int queue);

    /** The configuration space or the device status has changed. */
    void configChanged();

    /**
     * A queue was stopped because its ring is broken; under {@link FaultScope#QUEUE} alone.
     *
     * @param queue index
     */
    default void queueFailed(int queue) {}
}
