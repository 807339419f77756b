package io.aerostat.balloon.handler;

import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.queue.DeviceQueue;

/** What the balloon does with one of its queues. The owner's. */
public sealed interface QueueHandler
        permits PfnQueueHandler, StatsQueueHandler, HintQueueHandler, ReportingQueueHandler {
    /** Does one bounded pass, see {@link VirtioDevice#service}. */
    int service(int queue, DeviceQueue ring, Interrupts interrupts);

    /** Forgets the buffers of its queue, in work or held: the queue is gone. */
    void reset();
}
