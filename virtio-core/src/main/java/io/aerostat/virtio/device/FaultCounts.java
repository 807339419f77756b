package io.aerostat.virtio.device;

import io.aerostat.virtio.queue.QueueFault;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How often each fault was found, and one log line for the first of each: a guest cannot fill the
 * host's log.
 */
final class FaultCounts {
    private static final Logger LOGGER = System.getLogger(DeviceController.class.getName());

    private final AtomicLongArray counts = new AtomicLongArray(QueueFault.values().length);

    long get(QueueFault fault) {
        return counts.get(fault.ordinal());
    }

    void add(int deviceId, int queue, QueueFault fault) {
        if (counts.getAndIncrement(fault.ordinal()) == 0) {
            LOGGER.log(
                    Level.WARNING,
                    "device {0} needs reset: queue={1}, fault={2} ({3})",
                    deviceId,
                    queue,
                    fault,
                    fault.description());
        }
    }
}
