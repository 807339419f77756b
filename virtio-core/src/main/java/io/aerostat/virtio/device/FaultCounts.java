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

    void add(int deviceId, int queue, QueueFault fault, FaultScope scope) {
        if (counts.getAndIncrement(fault.ordinal()) == 0) {
            LOGGER.log(
                    Level.WARNING,
                    "device {0} {1}: queue={2}, fault={3} ({4})",
                    deviceId,
                    scope == FaultScope.DEVICE ? "needs reset" : "has a queue stopped",
                    queue,
                    fault.name(),
                    fault.description());
        }
    }
}
