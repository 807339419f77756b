package io.aerostat.virtio.device;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;

/** What must be the same where a device is saved and where it is restored. */
final class MachineIdentity {
    private final GuestMemory memory;
    private final VirtioDevice device;

    MachineIdentity(GuestMemory memory, VirtioDevice device) {
        this.memory = memory;
        this.device = device;
    }

    void save(SnapshotWriter out) {
        out.writeInt(device.deviceId());
        out.writeLong(device.offeredFeatures());
        out.writeInt(device.queueCount());
        out.writeInt(memory.regionCount());
        for (RamRegion region : memory.regions()) {
            out.writeLong(region.gpa());
            out.writeLong(region.length());
        }
    }

    /**
     * @throws SnapshotException if the snapshot is of another device or other RAM
     */
    void require(SnapshotReader in) throws SnapshotException {
        same("deviceId", in.readInt("deviceId"), device.deviceId());
        same("offered", in.readLong("offered"), device.offeredFeatures());
        same("queues", in.readInt("queues"), device.queueCount());
        same("ramRegions", in.readInt("ramRegions"), memory.regionCount());
        for (RamRegion region : memory.regions()) {
            same("ramGpa", in.readLong("ramGpa"), region.gpa());
            same("ramLength", in.readLong("ramLength"), region.length());
        }
        in.end();
    }

    private static void same(String field, long saved, long here) throws SnapshotException {
        if (saved != here) {
            throw SnapshotException.otherMachine(field, saved, here);
        }
    }
}
