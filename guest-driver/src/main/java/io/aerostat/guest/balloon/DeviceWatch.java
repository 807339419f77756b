package io.aerostat.guest.balloon;

import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.DeviceStatus;

import org.jspecify.annotations.Nullable;

/**
 * Finds out that a live device is lost: by its status, when it says that something has changed and
 * from time to time, because a device that was pulled says nothing any more; and by its rings.
 */
final class DeviceWatch {
    /** What any register reads of a device that is not there any more, on some buses. */
    private static final int ALL_ONES = -1;

    private final DriverTransport transport;
    private final long periodNs;

    private boolean isTimed;
    private long nextAtNs;
    private @Nullable DeviceLoss loss;
    private @Nullable DeviceLoss lastLoss;
    private @Nullable QueueFault lastFault;

    DeviceWatch(DriverTransport transport, long periodNs) {
        this.transport = transport;
        this.periodNs = periodNs;
    }

    /** Begins anew: the device is live. */
    void begin() {
        loss = null;
        isTimed = false;
    }

    /** Looks at the status; whether the device is not lost. */
    boolean check() {
        int status = transport.status();
        if (status != ALL_ONES && (status & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0) {
            lose(DeviceLoss.NEEDS_RESET);
        } else if (status == ALL_ONES || (status & DeviceStatus.DRIVER_OK_FLAG) == 0) {
            lose(DeviceLoss.GONE);
        }
        return loss == null;
    }

    /**
     * Looks at the status if it is time to.
     *
     * @param fault what the device did wrong to a ring, or null
     * @return whether the device is lost
     */
    boolean isLost(@Nullable QueueFault fault, long nowNs) {
        if (fault != null) {
            lastFault = fault;
            lose(DeviceLoss.RING_BROKEN);
        }
        if (!isTimed || nowNs - nextAtNs >= 0) {
            check();
            isTimed = true;
            nextAtNs = nowNs + periodNs;
        }
        return loss != null;
    }

    /** The first thing that is found is the reason; others follow from it. */
    private void lose(DeviceLoss found) {
        if (loss == null) {
            loss = found;
            lastLoss = found;
        }
    }

    @Nullable DeviceLoss lastLoss() {
        return lastLoss;
    }

    @Nullable QueueFault lastFault() {
        return lastFault;
    }
}
