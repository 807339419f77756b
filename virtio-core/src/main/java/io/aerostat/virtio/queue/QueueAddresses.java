package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.AvailableRingLayout;
import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.QueueLimits;
import io.aerostat.virtio.spec.UsedRingLayout;

import org.jspecify.annotations.Nullable;

/**
 * Size of a split queue and the guest-physical addresses of its three parts, as a driver gives
 * them. Any values: {@link #faultIn} says what is wrong.
 *
 * @param size entries of the queue
 * @param descriptorTable address of the descriptor table
 * @param availableRing address of the available ring
 * @param usedRing address of the used ring
 */
public record QueueAddresses(int size, long descriptorTable, long availableRing, long usedRing) {
    /**
     * Places the three parts one after the other in a block of {@link #blockBytes} bytes.
     *
     * @param gpa address of the block, a multiple of 16
     */
    public static QueueAddresses inBlock(int size, long gpa) {
        long available = gpa + DescriptorLayout.offset(size);
        return new QueueAddresses(size, gpa, available, usedAfter(available, size));
    }

    /** Bytes that {@link #inBlock} needs for a queue of {@code size} entries. */
    public static long blockBytes(int size) {
        return usedAfter(DescriptorLayout.offset(size), size) + UsedRingLayout.length(size);
    }

    private static long usedAfter(long available, int size) {
        long mask = UsedRingLayout.ALIGNMENT - 1;
        return (available + AvailableRingLayout.length(size) + mask) & ~mask;
    }

    /** What keeps these addresses from being a queue in {@code memory}, or null. */
    public @Nullable QueueFault faultIn(GuestMemory memory) {
        if (!QueueLimits.isValidSize(size)) {
            return QueueFault.SIZE_INVALID;
        }
        if (descriptorTable % DescriptorLayout.ALIGNMENT != 0
                || availableRing % AvailableRingLayout.ALIGNMENT != 0
                || usedRing % UsedRingLayout.ALIGNMENT != 0) {
            return QueueFault.RING_MISALIGNED;
        }
        boolean inRam =
                memory.contains(descriptorTable, DescriptorLayout.offset(size))
                        && memory.contains(availableRing, AvailableRingLayout.length(size))
                        && memory.contains(usedRing, UsedRingLayout.length(size));
        return inRam ? null : QueueFault.RING_OUTSIDE_RAM;
    }

    /** Writes the four values. */
    public void save(SnapshotWriter out) {
        out.writeInt(size);
        out.writeLong(descriptorTable);
        out.writeLong(availableRing);
        out.writeLong(usedRing);
    }

    /** Reads what {@link #save} wrote; any values. */
    public static QueueAddresses restored(SnapshotReader in) throws SnapshotException {
        return new QueueAddresses(
                in.readInt("queueSize"),
                in.readLong("descriptorTable"),
                in.readLong("availableRing"),
                in.readLong("usedRing"));
    }

    void requireValidIn(GuestMemory memory) {
        QueueFault fault = faultIn(memory);
        if (fault != null) {
            throw new IllegalArgumentException(fault.description() + ": " + this);
        }
    }
}
