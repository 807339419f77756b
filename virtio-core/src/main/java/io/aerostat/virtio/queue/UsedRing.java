package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.UsedRingLayout;

/** Flyweight of the used ring: the device writes it, the driver reads it. */
final class UsedRing {
    private final RamAccess ram;
    private final int availEventOffset;

    UsedRing(GuestMemory memory, QueueAddresses addresses) {
        ram = RamAccess.of(memory, addresses.usedRing(), UsedRingLayout.length(addresses.size()));
        availEventOffset = UsedRingLayout.availEventOffset(addresses.size());
    }

    /** Tells whether the ring is RAM still. */
    boolean isRam() {
        return ram.isRam();
    }

    int flagsOpaque() {
        return ram.getUnsignedShort(UsedRingLayout.FLAGS_OFFSET);
    }

    void flagsOpaque(int flags) {
        ram.putShort(UsedRingLayout.FLAGS_OFFSET, flags);
    }

    // pairs with idxRelease: the used elements up to this index, and what the device wrote, are
    // visible
    int idxAcquire() {
        int idx = ram.getUnsignedShort(UsedRingLayout.IDX_OFFSET);
        RingFences.afterIndexLoad();
        return idx;
    }

    // pairs with idxAcquire
    void idxRelease(int idx) {
        RingFences.beforeIndexStore();
        ram.putShort(UsedRingLayout.IDX_OFFSET, idx);
    }

    /** The id of the element, zero-extended: a device may have written more than 16 bits. */
    long id(int slot) {
        return Integer.toUnsignedLong(
                ram.getInt(UsedRingLayout.elementOffset(slot) + UsedRingLayout.ELEMENT_ID_OFFSET));
    }

    /** The length of the element, zero-extended. */
    long length(int slot) {
        return Integer.toUnsignedLong(
                ram.getInt(
                        UsedRingLayout.elementOffset(slot) + UsedRingLayout.ELEMENT_LENGTH_OFFSET));
    }

    void element(int slot, int id, int length) {
        int offset = UsedRingLayout.elementOffset(slot);
        ram.putInt(offset + UsedRingLayout.ELEMENT_ID_OFFSET, id);
        ram.putInt(offset + UsedRingLayout.ELEMENT_LENGTH_OFFSET, length);
    }

    int availEventOpaque() {
        return ram.getUnsignedShort(availEventOffset);
    }

    void availEventOpaque(int idx) {
        ram.putShort(availEventOffset, idx);
    }
}
