package io.aerostat.virtio.device;

import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;

/**
 * What a device offers and what it does with its queues. Run by a {@link DeviceController}.
 *
 * <p>The first group of methods describes the device and is called from the guest's side at any
 * time. The second is called by the device's owner alone, one call at a time.
 */
public interface VirtioDevice {
    /** What {@link #service} answers when the queue has no more to do: there will be a kick. */
    int IDLE = 0;

    /** What {@link #service} answers when the work of this pass is spent and more is waiting. */
    int MORE = 1;

    /** What {@link #service} answers when the queue's driver broke the ring. */
    int FAULT = -1;

    /** The virtio device id (VIRTIO 1.4, 5). */
    int deviceId();

    /** The features on offer; always the same. */
    long offeredFeatures();

    /** Tells whether the device can work with a valid subset of its offer. */
    boolean accepts(long features);

    /** One more than the highest queue index that the device may ever have; at most 63. */
    int queueCount();

    /**
     * Largest size of a queue.
     *
     * @param queue index, 0 to {@link #queueCount()} - 1
     * @param features what the driver has accepted so far
     * @return a power of two, or 0 if there is no such queue under these features
     */
    int queueSizeMax(int queue, long features);

    /**
     * A controller runs the device from now on: {@link DeviceController#execute} brings work to its
     * owner. Called once, before anything else.
     */
    void attached(DeviceController controller);

    /** The device's configuration space. */
    ConfigSpace config();

    /**
     * Time goes on: called at the start of each pass of the owner.
     *
     * @param nowNs the owner's clock in nanoseconds, from any origin
     */
    default void elapsed(long nowNs) {}

    /**
     * The driver is ready (DRIVER_OK): queues that it enabled follow by {@link #queueEnabled}.
     *
     * @param features the negotiated features
     */
    void activate(long features);

    /** A queue is live from here on; its ring lies at the given addresses. */
    void queueEnabled(int queue, QueueAddresses addresses);

    /** A queue is live no more; its ring must not be touched. */
    void queueDisabled(int queue);

    /**
     * Does a bounded piece of the work that waits on a live queue.
     *
     * @param queue index of a live queue
     * @param ring the queue
     * @param interrupts tells the driver about used buffers
     * @return {@link #IDLE}, {@link #MORE} or {@link #FAULT}
     */
    int service(int queue, DeviceQueue ring, Interrupts interrupts);

    /**
     * The driver has written to its part of the configuration space; several writes may be told as
     * one.
     */
    void configWritten();

    /** The driver has reset the device: no queue is live, nothing negotiated. */
    void reset();
}
