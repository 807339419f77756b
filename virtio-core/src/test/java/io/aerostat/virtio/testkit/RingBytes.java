package io.aerostat.virtio.testkit;

import io.aerostat.virtio.queue.QueueAddresses;

/**
 * A split ring as bytes: writes and reads each field of the three parts at its literal offset
 * (VIRTIO 1.4, 2.7), for the test that plays one side by hand. Keeps no state of its own.
 *
 * <p>Not ordered: one thread, or none at the same time.
 */
public final class RingBytes {
    /** Descriptor flag NEXT. */
    public static final int NEXT = 1;

    /** Descriptor flag WRITE. */
    public static final int WRITE = 2;

    /** Descriptor flag INDIRECT. */
    public static final int INDIRECT = 4;

    private final GuestRam ram;
    private final int size;
    private final long descriptors;
    private final long available;
    private final long used;

    /** A ring of {@code size} entries whose parts lie at the given guest addresses. */
    public RingBytes(GuestRam ram, int size, long descriptors, long available, long used) {
        this.ram = ram;
        this.size = size;
        this.descriptors = descriptors;
        this.available = available;
        this.used = used;
    }

    /** A ring whose parts follow each other from {@code gpa}, a multiple of 16. */
    public static RingBytes at(GuestRam ram, int size, long gpa) {
        long available = gpa + 16L * size;
        long used = (available + 6 + 2L * size + 3) / 4 * 4;
        return new RingBytes(ram, size, gpa, available, used);
    }

    /** Entries of the ring. */
    public int size() {
        return size;
    }

    /** The RAM that the ring lies in. */
    public GuestRam ram() {
        return ram;
    }

    /** The same, as the queues under test want it. */
    public QueueAddresses addresses() {
        return new QueueAddresses(size, descriptors, available, used);
    }

    /** Guest address behind the used ring. */
    public long end() {
        return used + 6 + 8L * size;
    }

    /** Writes descriptor {@code index} of the table. */
    public void descriptor(int index, long address, long length, int flags, int next) {
        descriptorAt(ram, descriptors + 16L * index, address, length, flags, next);
    }

    /** Writes a descriptor at any guest address, for indirect tables. */
    public static void descriptorAt(
            GuestRam ram, long gpa, long address, long length, int flags, int next) {
        ram.putLe64(gpa, address);
        ram.putLe32(gpa + 8, (int) length);
        ram.putLe16(gpa + 12, flags);
        ram.putLe16(gpa + 14, next);
    }

    /** The 16 bytes of descriptor {@code index}. */
    public byte[] descriptor(int index) {
        return ram.bytes(descriptors + 16L * index, 16);
    }

    /** The bytes of the descriptor table. */
    public byte[] descriptorTable() {
        return ram.bytes(descriptors, 16 * size);
    }

    /** The bytes of the available ring. */
    public byte[] availableRing() {
        return ram.bytes(available, 6 + 2 * size);
    }

    /** The bytes of the used ring. */
    public byte[] usedRing() {
        return ram.bytes(used, 6 + 8 * size);
    }

    // ---- the driver's part

    /** Writes avail.flags. */
    public void availableFlags(int flags) {
        ram.putLe16(available, flags);
    }

    /** avail.flags. */
    public int availableFlags() {
        return ram.le16(available);
    }

    /** Writes avail.idx. */
    public void availableIdx(int idx) {
        ram.putLe16(available + 2, idx);
    }

    /** avail.idx. */
    public int availableIdx() {
        return ram.le16(available + 2);
    }

    /** Writes avail.ring[slot]. */
    public void availableEntry(int slot, int head) {
        ram.putLe16(available + 4 + 2L * slot, head);
    }

    /** avail.ring[slot]. */
    public int availableEntry(int slot) {
        return ram.le16(available + 4 + 2L * slot);
    }

    /** Writes used_event. */
    public void usedEvent(int idx) {
        ram.putLe16(available + 4 + 2L * size, idx);
    }

    /** used_event. */
    public int usedEvent() {
        return ram.le16(available + 4 + 2L * size);
    }

    /** Puts {@code head} in the next slot and moves avail.idx: one more available buffer. */
    public void offer(int head) {
        int idx = availableIdx();
        availableEntry(idx % size, head);
        availableIdx(idx + 1);
    }

    // ---- the device's part

    /** Writes used.flags. */
    public void usedFlags(int flags) {
        ram.putLe16(used, flags);
    }

    /** used.flags. */
    public int usedFlags() {
        return ram.le16(used);
    }

    /** Writes used.idx. */
    public void usedIdx(int idx) {
        ram.putLe16(used + 2, idx);
    }

    /** used.idx. */
    public int usedIdx() {
        return ram.le16(used + 2);
    }

    /** Writes used.ring[slot]. */
    public void usedElement(int slot, int id, int length) {
        ram.putLe32(used + 4 + 8L * slot, id);
        ram.putLe32(used + 8 + 8L * slot, length);
    }

    /** used.ring[slot].id. */
    public int usedId(int slot) {
        return ram.le32(used + 4 + 8L * slot);
    }

    /** used.ring[slot].len. */
    public int usedLength(int slot) {
        return ram.le32(used + 8 + 8L * slot);
    }

    /** Writes avail_event. */
    public void availEvent(int idx) {
        ram.putLe16(used + 4 + 8L * size, idx);
    }

    /** avail_event. */
    public int availEvent() {
        return ram.le16(used + 4 + 8L * size);
    }

    /** Puts an element in the next slot and moves used.idx: one buffer returned. */
    public void giveBack(int id, int length) {
        int idx = usedIdx();
        usedElement(idx % size, id, length);
        usedIdx(idx + 1);
    }
}
