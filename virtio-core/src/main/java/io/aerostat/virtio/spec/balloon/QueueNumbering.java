package io.aerostat.virtio.spec.balloon;

/**
 * How the balloon's queues are numbered. The standard fixes the numbers 0 to 4 (VIRTIO 1.4, 5.5.2);
 * Linux packs them by the features that the driver acknowledged, QEMU by those that its device
 * offered. Both sides must count alike.
 */
public enum QueueNumbering {
    /** Densely, over the queues whose feature was negotiated: what Linux drivers do. */
    NEGOTIATED,
    /** Densely, over the queues whose feature was offered: what QEMU's device does. */
    OFFERED,
    /** The standard's fixed numbers. */
    SPECIFIED;

    /** What {@link #indexOf} answers for a queue that does not exist. */
    public static final int ABSENT = -1;

    private static final BalloonQueue[] QUEUES = BalloonQueue.values();

    /**
     * The virtqueue index of {@code queue}, or {@link #ABSENT} if it does not exist under the
     * negotiated features.
     */
    public int indexOf(BalloonQueue queue, long offered, long negotiated) {
        if (!queue.existsWith(negotiated)) {
            return ABSENT;
        }
        if (this == SPECIFIED) {
            return queue.ordinal();
        }
        long counted = this == OFFERED ? offered : negotiated;
        int index = 0;
        for (int i = 0; i < queue.ordinal(); i++) {
            if (QUEUES[i].existsWith(counted)) {
                index++;
            }
        }
        return index;
    }
}
