package io.aerostat.virtio.transport.mmio;

import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotWriter;

/** The size and address registers of one queue: what the driver has said about it so far. */
final class QueueRegisters {
    private static final long LOW_WORD = 0xFFFF_FFFFL;

    private int size;
    private long descriptorTable;
    private long availableRing;
    private long usedRing;

    void clear() {
        size = 0;
        descriptorTable = 0;
        availableRing = 0;
        usedRing = 0;
    }

    void size(int value) {
        size = value;
    }

    void descriptorTable(boolean high, int word) {
        descriptorTable = withWord(descriptorTable, high, word);
    }

    void availableRing(boolean high, int word) {
        availableRing = withWord(availableRing, high, word);
    }

    void usedRing(boolean high, int word) {
        usedRing = withWord(usedRing, high, word);
    }

    /** The queue as described; one whose size was never written has the largest. */
    QueueAddresses addresses(int sizeMax) {
        return new QueueAddresses(
                size == 0 ? sizeMax : size, descriptorTable, availableRing, usedRing);
    }

    void save(SnapshotWriter out) {
        addresses(0).save(out);
    }

    void restore(QueueAddresses saved) {
        size = saved.size();
        descriptorTable = saved.descriptorTable();
        availableRing = saved.availableRing();
        usedRing = saved.usedRing();
    }

    private static long withWord(long address, boolean high, int word) {
        long bits = word & LOW_WORD;
        return high ? (address & LOW_WORD) | (bits << Integer.SIZE) : (address & ~LOW_WORD) | bits;
    }
}
