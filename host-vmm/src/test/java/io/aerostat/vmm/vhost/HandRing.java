package io.aerostat.vmm.vhost;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;

/** A ring with its descriptors, whose driver does what the test says. */
final class HandRing implements AutoCloseable {
    /** Entries. */
    static final int SIZE = 64;

    /** What a ring and its buffers take. */
    static final long BYTES = 0x10000;

    private static final long BUFFERS_OFFSET = 0x8000;
    private static final int MOST_PAGES = 512;

    final int index;
    final QueueAddresses place;
    final long gpa;
    private final GuestMemory memory;
    private final long buffer;
    private DriverQueue queue;

    final Descriptor kick = EventDescriptors.create();
    final Descriptor call = EventDescriptors.create();
    final Descriptor error = EventDescriptors.create();

    HandRing(GuestMemory memory, int index, long gpa) {
        this.memory = memory;
        this.index = index;
        this.gpa = gpa;
        this.place = QueueAddresses.inBlock(SIZE, gpa);
        this.buffer = gpa + BUFFERS_OFFSET;
        this.queue = new DriverQueue(memory, place, 0, null);
    }

    /** Another driver begins: the ring is empty and at 0. */
    void begin() {
        queue = new DriverQueue(memory, place, 0, null);
    }

    /** Offers page numbers, without a kick. */
    void offer(int... pfns) {
        if (pfns.length > MOST_PAGES) {
            throw new IllegalArgumentException("too many at once: pfns=" + pfns.length);
        }
        RamAccess.of(memory, buffer, 4L * pfns.length).putInts(0, pfns, 0, pfns.length);
        offer(buffer, 4L * pfns.length, false);
    }

    /** Offers a buffer anywhere, without a kick. */
    void offer(long address, long length, boolean writable) {
        queue.add(address, length, writable);
        queue.publish();
    }

    void kick() {
        EventDescriptors.signal(kick);
    }

    /** Tells whether a buffer has come back, and takes it. */
    boolean takeBack() {
        return queue.poll() >= 0;
    }

    /** Has pages served, by a kick. */
    void pages(int... pfns) {
        offer(pfns);
        kick();
        ServedGuest.await(this::takeBack, "ring " + index + " is served");
    }

    /** Pages from {@code first} on. */
    static int[] range(int first, int count) {
        int[] pfns = new int[count];
        for (int i = 0; i < count; i++) {
            pfns[i] = first + i;
        }
        return pfns;
    }

    // what the driver would not do

    RamAccess availableRing() {
        return RamAccess.of(memory, place.availableRing(), 4 + 2L * SIZE);
    }

    RamAccess descriptorTable() {
        return RamAccess.of(memory, place.descriptorTable(), 16L * SIZE);
    }

    /** The used ring's index, as its memory has it. */
    int usedIndex() {
        return RamAccess.of(memory, place.usedRing(), 4).getUnsignedShort(2);
    }

    /** Another ring of this content has been served before: its index is the device's, too. */
    void pretendUsed(int index) {
        RamAccess.of(memory, place.usedRing(), 4).putShort(2, index);
    }

    boolean takeError() {
        return EventDescriptors.drain(error);
    }

    boolean takeInterrupt() {
        return EventDescriptors.drain(call);
    }

    @Override
    public void close() {
        kick.close();
        call.close();
        error.close();
    }
}
