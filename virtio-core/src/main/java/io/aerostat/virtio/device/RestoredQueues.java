package io.aerostat.virtio.device;

import io.aerostat.virtio.queue.DeviceQueue;

import org.jspecify.annotations.Nullable;

/**
 * What a device that is restored may look at: the features and the queues that it is going to have.
 * Nothing here may be polled, completed or walked yet.
 */
public final class RestoredQueues {
    private final QueueTable queues;
    private final long features;

    RestoredQueues(QueueTable queues, long features) {
        this.queues = queues;
        this.features = features;
    }

    /** The negotiated features, or 0 if the driver was not ready. */
    public long features() {
        return features;
    }

    /**
     * A queue as it was saved, or null if it was not live. If it stood inside a buffer, {@link
     * DeviceQueue#chain} stands at the same element, which was checked again: in guest RAM, with
     * the same address and length.
     *
     * @param queue index, any number
     */
    public @Nullable DeviceQueue ring(int queue) {
        return queues.isQueue(queue) ? queues.ring(queue) : null;
    }
}
