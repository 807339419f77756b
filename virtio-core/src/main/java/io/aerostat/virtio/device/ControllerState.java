package io.aerostat.virtio.device;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.DeviceStatus;

/**
 * What a controller knows of its driver, in one piece: to be written to a snapshot, or read from
 * one and not yet in effect.
 *
 * @param status the device status field
 * @param configChangeUntold whether the driver has yet to be told of a configuration change
 * @param configWritten whether the device has yet to be told of a configuration write
 * @param negotiation what the driver has accepted
 * @param queues its queues
 */
record ControllerState(
        int status,
        boolean configChangeUntold,
        boolean configWritten,
        FeatureNegotiation negotiation,
        QueueTable queues) {
    private static final int KNOWN_STATUS =
            DeviceStatus.DRIVER_WRITABLE_MASK | DeviceStatus.DEVICE_NEEDS_RESET_FLAG;

    void save(SnapshotWriter out) {
        out.writeByte(status);
        out.writeBoolean(configChangeUntold);
        out.writeBoolean(configWritten);
        negotiation.save(out);
        queues.save(out);
    }

    static ControllerState restored(GuestMemory memory, VirtioDevice device, SnapshotReader in)
            throws SnapshotException {
        int status = in.readByte("status");
        boolean featuresOk = (status & DeviceStatus.FEATURES_OK_FLAG) != 0;
        boolean driverOk = (status & DeviceStatus.DRIVER_OK_FLAG) != 0;
        if ((status & ~KNOWN_STATUS) != 0 || (driverOk && !featuresOk)) {
            throw SnapshotException.impossible("status", status);
        }
        boolean untold = in.readBoolean("configChangeUntold");
        boolean written = in.readBoolean("configWritten");
        FeatureNegotiation negotiation = FeatureNegotiation.restored(device, in);
        if (featuresOk && !negotiation.isAcceptable()) {
            throw SnapshotException.impossible("accepted", negotiation.accepted());
        }
        QueueTable queues =
                QueueTable.restored(
                        memory, device, driverOk ? negotiation.accepted() : 0, isLive(status), in);
        in.end();
        return new ControllerState(status, untold, written, negotiation, queues);
    }

    /** Tells whether the driver has set DRIVER_OK: the device was activated. */
    boolean isActivated() {
        return (status & DeviceStatus.DRIVER_OK_FLAG) != 0;
    }

    /** Tells whether queues are served: activated, and no fault since. */
    boolean isLive() {
        return isLive(status);
    }

    private static boolean isLive(int status) {
        return (status & DeviceStatus.DRIVER_OK_FLAG) != 0
                && (status & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) == 0;
    }

    /** The negotiated features; 0 unless the device was activated. */
    long features() {
        return isActivated() ? negotiation.accepted() : 0;
    }
}
