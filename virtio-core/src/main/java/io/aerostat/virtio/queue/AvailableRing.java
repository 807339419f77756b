package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.AvailableRingLayout;

/** Flyweight of the available ring: the driver writes it, the device reads it. */
final class AvailableRing {
    private final RamAccess ram;
    private final int usedEventOffset;

    AvailableRing(GuestMemory memory, QueueAddresses addresses) {
        ram =
                RamAccess.of(
                        memory,
                        addresses.availableRing(),
                        AvailableRingLayout.length(addresses.size()));
        usedEventOffset = AvailableRingLayout.usedEventOffset(addresses.size());
    }

    /** Tells whether the ring is RAM still. */
    boolean isRam() {
        return ram.isRam();
    }

    int flagsOpaque() {
        return ram.getUnsignedShort(AvailableRingLayout.FLAGS_OFFSET);
    }

    void flagsOpaque(int flags) {
        ram.putShort(AvailableRingLayout.FLAGS_OFFSET, flags);
    }

    // pairs with idxRelease: the chains up to this index and their ring entries are visible
    int idxAcquire() {
        int idx = ram.getUnsignedShort(AvailableRingLayout.IDX_OFFSET);
        RingFences.afterIndexLoad();
        return idx;
    }

    // pairs with idxAcquire
    void idxRelease(int idx) {
        RingFences.beforeIndexStore();
        ram.putShort(AvailableRingLayout.IDX_OFFSET, idx);
    }

    int entry(int slot) {
        return ram.getUnsignedShort(AvailableRingLayout.entryOffset(slot));
    }

    void entry(int slot, int head) {
        ram.putShort(AvailableRingLayout.entryOffset(slot), head);
    }

    int usedEventOpaque() {
        return ram.getUnsignedShort(usedEventOffset);
    }

    void usedEventOpaque(int idx) {
        ram.putShort(usedEventOffset, idx);
    }
}
