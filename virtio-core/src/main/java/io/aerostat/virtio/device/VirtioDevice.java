package io.aerostat.virtio.device;

import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

/**
 * What a device offers and what it does with its queues. Run by a {@link DeviceController}.
 *
 * <p>The first group of methods describes the device and is called from the guest's side at any
 * time. The second is called by the device's owner alone, one call at a time. Only {@link #service}
 * writes guest RAM, so that nothing does while the controller is drained.
 *
 * <p>What a controller calls, and when:
 *
 * <pre>
 *   DRIVER_OK   activate, then queueEnabled for each queue
 *   reset       reset; no queueDisabled
 *   restore     prepareRestore, nothing is changed yet
 *               queueDisabled for each queue that was live here
 *               config() has the saved fields and generation
 *               queueEnabled for each queue that is live from here on
 *               what prepareRestore answered is run; then the queues are served as ever
 * </pre>
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
     * Tells whether a queue may be at a place that is guest RAM. The owner only.
     *
     * @param queue index, 0 to {@link #queueCount()} - 1
     */
    default boolean mayBeAt(int queue, QueueAddresses addresses) {
        return true;
    }

    /**
     * A controller runs the device from now on: {@link DeviceController#execute} brings work to its
     * owner. Called once, before anything else.
     */
    void attached(DeviceController controller);

    /** The device's configuration space. */
    ConfigSpace config();

    /**
     * Time goes on: called at the start of each pass of the owner, and not while the controller is
     * drained.
     *
     * @param nowNs the owner's clock in nanoseconds, from any origin; after a restore from another
     *     one
     */
    default void elapsed(long nowNs) {}

    /**
     * RAM was attached to the guest's memory, or detached from it. Windows need no attention: they
     * find what is there now. A queue that is hit is stopped after this.
     */
    default void memoryChanged() {}

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
     * Which of several queues that wait is served first.
     *
     * @param waiting bit q for queue q, not 0
     * @return one of them
     */
    default int firstOf(long waiting) {
        return Long.numberOfTrailingZeros(waiting);
    }

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

    /**
     * The driver has reset the device: no queue is live, nothing negotiated, and the fields of the
     * configuration space that are the driver's are 0.
     */
    void reset();

    /**
     * Writes what the device knows besides its features, its configuration space and its queues,
     * which the controller saves: a device without such things writes nothing. Between two passes.
     *
     * <p>A device that rests inside a buffer writes its own place in the current element; the queue
     * and its {@link DeviceQueue#chain} write theirs. Instants of {@link #elapsed} mean nothing
     * after a restore: write how long ago, or how long to go.
     */
    default void save(SnapshotWriter out) {}

    /**
     * Reads what {@link #save} wrote, and changes nothing: after this the restore may still be
     * called off. All that is read is checked as if a guest had chosen it; a place inside a buffer
     * too, against the queue's {@link DeviceQueue#chain} and {@link DeviceQueue#isOut}.
     *
     * @param in the device's own bytes, all of which must be read
     * @param queues the features and queues that the device is going to have
     * @return puts the device in the saved state, whatever it was in before, on the owner, and
     *     cannot fail. It is no activation: neither {@link #activate} nor {@link #reset} is called,
     *     and it comes after {@link #queueEnabled} of all queues, so that what it sets stays
     * @throws SnapshotException if the device cannot be in such a state
     */
    default Runnable prepareRestore(SnapshotReader in, RestoredQueues queues)
            throws SnapshotException {
        return () -> {};
    }
}
