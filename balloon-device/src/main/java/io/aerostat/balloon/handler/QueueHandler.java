package io.aerostat.balloon.handler;

import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

import org.jspecify.annotations.Nullable;

/** What the balloon does with one of its queues. The owner's. */
public sealed interface QueueHandler
        permits PfnQueueHandler, StatsQueueHandler, HintQueueHandler, ReportingQueueHandler {
    /** Does one bounded pass, see {@link VirtioDevice#service}. */
    int service(int queue, DeviceQueue ring, Interrupts interrupts);

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
