package io.aerostat.virtio.device;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

import org.jspecify.annotations.Nullable;

/**
 * The queues of one device: where its driver enabled each, and the ring of each that is live.
 *
 * <pre>
 *   register thread   enable, disable          the place of each queue
 *   owner             start, stop, ring        the ring of each queue
 * </pre>
 */
final class QueueTable {
    /** In {@link #resumeAt}: at the start of a new ring, whatever its memory holds. */
    private static final int NEW_RING = -1;

    private final GuestMemory memory;
    private final VirtioDevice device;
    private final int count;

    // The register thread's; the owner reads it when it starts queues.
    private final @Nullable QueueAddresses[] enabled;
    private final int[] resumeAt;

    // The owner's.
    private final @Nullable DeviceQueue[] rings;

    /** Where the last ring of each queue stood when it was stopped. */
    private final int[] stoppedAt;

    QueueTable(GuestMemory memory, VirtioDevice device) {
        this.memory = memory;
        this.device = device;
        this.count = device.queueCount();
        this.enabled = new @Nullable QueueAddresses[count];
        this.resumeAt = new int[count];
        this.rings = new @Nullable DeviceQueue[count];
        this.stoppedAt = new int[count];
    }

    /** What the rings lie in. */
    GuestMemory memory() {
        return memory;
    }

    /** One more than the highest index. */
    int count() {
        return count;
    }

    /** Tells whether there may be a queue of this index; any number. */
    boolean isQueue(int queue) {
        return queue >= 0 && queue < count;
    }

    // the register thread

    boolean isEnabled(int queue) {
        return isQueue(queue) && enabled[queue] != null;
    }

    void enable(int queue, QueueAddresses addresses) {
        enabled[queue] = addresses;
        resumeAt[queue] = NEW_RING;
    }

    void resume(int queue, QueueAddresses addresses, int index) {
        enabled[queue] = addresses;
        resumeAt[queue] = index;
    }

    /** Where a queue stood when it was stopped; after the owner has stopped it. */
    int stoppedAt(int queue) {
        return stoppedAt[queue];
    }

    void disable(int queue) {
        enabled[queue] = null;
    }

    void disableAll() {
        for (int queue = 0; queue < count; queue++) {
            enabled[queue] = null;
        }
    }

    // the owner

    /** The ring of a queue that is live, or was when the device failed. */
    @Nullable DeviceQueue ring(int queue) {
        return rings[queue];
    }

    /**
     * Makes an enabled queue live, and tells the device. Does nothing for any other.
     *
     * @param features the negotiated features
     * @return why it cannot be live, or null
     */
    @Nullable QueueFault start(int queue, long features) {
        QueueAddresses addresses = enabled[queue];
        if (addresses == null || rings[queue] != null) {
            return null;
        }
        QueueFault fault = faultIn(queue, addresses, features);
        if (fault == null && !device.mayBeAt(queue, addresses)) {
            fault = QueueFault.RING_GIVEN_AWAY;
        }
        if (fault == null) {
            int index = resumeAt[queue];
            rings[queue] =
                    index == NEW_RING
                            ? new DeviceQueue(memory, addresses, features)
                            : DeviceQueue.resumed(memory, addresses, features, index);
            device.queueEnabled(queue, addresses);
        } else {
            // It went nowhere: whoever asks where it stopped is told where it was to start.
            stoppedAt[queue] = Math.max(resumeAt[queue], 0);
        }
        return fault;
    }

    private @Nullable QueueFault faultIn(int queue, QueueAddresses addresses, long features) {
        return addresses.size() > device.queueSizeMax(queue, features)
                ? QueueFault.SIZE_INVALID
                : addresses.faultIn(memory);
    }

    /** Lets go of a ring, if there is one, and tells the device. */
    void stop(int queue) {
        DeviceQueue ring = rings[queue];
        if (ring != null) {
            stoppedAt[queue] = ring.returnedIndex();
            rings[queue] = null;
            device.queueDisabled(queue);
        }
    }

    /** Lets go of all rings; the device is reset and need not be told. */
    void forgetRings() {
        for (int queue = 0; queue < count; queue++) {
            rings[queue] = null;
        }
    }

    // save and restore: while neither thread is at work

    void save(SnapshotWriter out) {
        for (int queue = 0; queue < count; queue++) {
            QueueAddresses addresses = enabled[queue];
            out.writeBoolean(addresses != null);
            if (addresses != null) {
                addresses.save(out);
            }
            DeviceQueue ring = rings[queue];
            out.writeBoolean(ring != null);
            if (ring != null) {
                ring.save(out);
            }
        }
    }

    /**
     * A table of the same device with the queues as they were saved. The device is not told: {@link
     * #become} does.
     *
     * @param features the negotiated features, 0 if no queue can have a ring
     * @param live whether each enabled queue must have one
     */
    static QueueTable restored(
            GuestMemory memory, VirtioDevice device, long features, boolean live, SnapshotReader in)
            throws SnapshotException {
        QueueTable table = new QueueTable(memory, device);
        for (int queue = 0; queue < table.count; queue++) {
            table.restoreQueue(queue, features, live, in);
        }
        return table;
    }

    private void restoreQueue(int queue, long features, boolean live, SnapshotReader in)
            throws SnapshotException {
        QueueAddresses addresses = in.readBoolean("isEnabled") ? QueueAddresses.restored(in) : null;
        enabled[queue] = addresses;
        boolean hasRing = in.readBoolean("hasRing");
        boolean canHaveRing = features != 0 && addresses != null;
        if (hasRing ? !canHaveRing : live && addresses != null) {
            throw SnapshotException.impossible("hasRing", hasRing ? 1 : 0);
        }
        if (hasRing && addresses != null) {
            QueueFault fault = faultIn(queue, addresses, features);
            if (fault != null) {
                throw new SnapshotException(
                        "snapshot has a queue that cannot be here: queue="
                                + queue
                                + ", fault="
                                + fault);
            }
            rings[queue] = DeviceQueue.restored(memory, addresses, features, in);
        }
    }

    /** Lets go of all rings, and tells the device of each. */
    void stopAll() {
        for (int queue = 0; queue < count; queue++) {
            stop(queue);
        }
    }

    /** Takes over all of another table, and tells the device which queues are live. */
    void become(QueueTable other) {
        for (int queue = 0; queue < count; queue++) {
            QueueAddresses addresses = other.enabled[queue];
            enabled[queue] = addresses;
            rings[queue] = other.rings[queue];
            if (rings[queue] != null && addresses != null) {
                device.queueEnabled(queue, addresses);
            }
        }
    }
}
