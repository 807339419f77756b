package io.aerostat.virtio.driver;

import io.aerostat.virtio.queue.QueueAddresses;

import org.jspecify.annotations.Nullable;

/** A driver's view of the bus that its device sits on. One thread's. */
public interface DriverTransport {
    /**
     * Looks whether there is a device of this type behind the transport, before anything else is
     * touched.
     *
     * @return null if there is, otherwise why not
     */
    @Nullable HandshakeFailure probe(int deviceId);

    /**
     * Resets the device and waits until it is reset: its status reads 0. Spins, for a bounded
     * number of reads.
     *
     * @return whether the device is reset; one that is not may still use what memory it knows
     */
    boolean reset();

    /** The device status field. */
    int status();

    /** Writes the device status field. */
    void status(int status);

    /** The features on offer. */
    long deviceFeatures();

    /** Tells the device which of them the driver takes. */
    void driverFeatures(long features);

    /** Largest size of a queue; 0 if there is no such queue. */
    int queueSizeMax(int queue);

    /** Tells whether a queue is enabled. */
    boolean isQueueEnabled(int queue);

    /** Makes a queue live at the given place, whose memory is zero. */
    void enableQueue(int queue, QueueAddresses addresses);

    /** Tells the device that a queue has new buffers. */
    void kick(int queue);

    /**
     * The configuration's generation: equal before and after a read of several fields, nothing
     * changed in between.
     */
    int configGeneration();

    /** The 32-bit configuration field at an offset. */
    int readConfig(int offset);

    /** Writes the 32-bit configuration field at an offset. */
    void writeConfig(int offset, int value);

    /**
     * Why the device interrupts: {@link io.aerostat.virtio.spec.InterruptStatus} flags, none but
     * the defined ones.
     */
    int interruptCauses();

    /** Tells the device that these causes have been handled. */
    void acknowledge(int causes);
}
