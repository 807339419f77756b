package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.DescriptorLayout;

/**
 * Flyweight of a descriptor table, of a queue or indirect. Plain accesses: avail.idx publishes
 * them.
 */
final class DescriptorTable {
    private final RamAccess ram;

    DescriptorTable(GuestMemory memory) {
        ram = new RamAccess(memory);
    }

    boolean map(long gpa, int entries) {
        return ram.map(gpa, DescriptorLayout.offset(entries));
    }

    /** Tells whether the table is RAM still. */
    boolean isRam() {
        return ram.isRam();
    }

    /** Where the table lies. */
    long gpa() {
        return ram.gpa();
    }

    long address(int index) {
        return ram.getLong(DescriptorLayout.offset(index) + DescriptorLayout.ADDRESS_OFFSET);
    }

    /** The length, zero-extended. */
    long length(int index) {
        return Integer.toUnsignedLong(
                ram.getInt(DescriptorLayout.offset(index) + DescriptorLayout.LENGTH_OFFSET));
    }

    int flags(int index) {
        return ram.getUnsignedShort(DescriptorLayout.offset(index) + DescriptorLayout.FLAGS_OFFSET);
    }

    int next(int index) {
        return ram.getUnsignedShort(DescriptorLayout.offset(index) + DescriptorLayout.NEXT_OFFSET);
    }

    void set(int index, long address, long length, int flags, int next) {
        long offset = DescriptorLayout.offset(index);
        ram.putLong(offset + DescriptorLayout.ADDRESS_OFFSET, address);
        ram.putInt(offset + DescriptorLayout.LENGTH_OFFSET, (int) length);
        ram.putShort(offset + DescriptorLayout.FLAGS_OFFSET, flags);
        ram.putShort(offset + DescriptorLayout.NEXT_OFFSET, next);
    }
}
