package io.aerostat.balloon.handler;

import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

import org.jspecify.annotations.Nullable;

/** What the balloon does with one of its queues. The owner's. */
public sealed interface QueueHandler
        permits PfnQueueHandler, StatsQueueHandler, HintQueueHandler, ReportingQueueHandler {
    /**
     * Serves what is available, until the queue is empty or the work of a pass is done. Buffers are
     * completed and not yet published; all that stands for them is done when this returns.
     *
     * @return as {@link VirtioDevice#service}; IDLE if the queue was empty
     */
    int serve(DeviceQueue ring);

    /** Forgets the buffers of its queue, in work or held: the queue is gone. */
    void reset();

    /** Writes what it knows between two passes, besides what its queue knows. */
    void save(SnapshotWriter out);

    /**
     * Reads what {@link #save} wrote, and changes nothing.
     *
     * @param ring its queue as it is going to be, or null if it is not live
     * @return makes this like the saved one
     */
    Runnable prepareRestore(SnapshotReader in, @Nullable DeviceQueue ring) throws SnapshotException;

    /**
     * Reads whether its handler rests inside a buffer.
     *
     * @throws SnapshotException if it does, and the queue has no such buffer
     */
    static boolean readInBuffer(SnapshotReader in, @Nullable DeviceQueue ring)
            throws SnapshotException {
        boolean inBuffer = in.readBoolean("inBuffer");
        if (inBuffer && (ring == null || !ring.isOut(ring.chain().head()))) {
            throw SnapshotException.impossible("inBuffer", 1);
        }
        return inBuffer;
    }
}
