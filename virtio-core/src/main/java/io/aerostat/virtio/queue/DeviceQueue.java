package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.AvailableRingLayout;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.UsedRingLayout;

import org.jspecify.annotations.Nullable;

/**
 * The device's side of a split virtqueue.
 *
 * <pre>
 *   poll()  ─▶ CHAIN: chain() walks its elements ─▶ complete(head, written)   stages, invisible
 *           ─▶ NONE:  publish(): visible at once; interrupt?                  then armAndRecheck()
 *           ─▶ FAULT: publish() what is done, then stop the device
 *
 *   avail ring   ...│ returned │ taken, in work │ available │...
 *                   ▲ published          ▲ nextAvailable    ▲ seenAvailable (last idx read)
 * </pre>
 *
 * <p>Invariant: {@code published <= nextAvailable <= seenAvailable <= published + size}, modulo
 * 2^16. A driver that breaks it by an index jump is a {@link QueueFault}. Buffers may be completed
 * in any order, each once: which are out is kept in a bit for each head, so that neither a device
 * that returns one twice nor a driver that offers one which is still out can break the ring.
 *
 * <p>Owned by one thread. Allocates nothing after construction.
 */
public final class DeviceQueue {
    /** No buffer is available. */
    public static final int NONE = 0;

    /** A buffer was taken; {@link #chain()} stands before its first element. */
    public static final int CHAIN = 1;

    /** The ring is broken: see {@link #fault()}. */
    public static final int FAULT = -1;

    /** Longest indirect table that is accepted, in descriptors, whatever the size of the queue. */
    public static final int INDIRECT_CAP = 1024;

    private final AvailableRing available;
    private final UsedRing used;
    private final DescriptorTable descriptors;
    private final ChainCursor chain;
    private final int size;
    private final int mask;
    private final boolean eventIdx;

    /** Bit h % 64 of word h / 64: the buffer with head h is taken and not returned. */
    private final long[] out;

    private int seenAvailable;
    private int nextAvailable;
    private int published;
    private int staged;
    private @Nullable QueueFault fault;

    /**
     * A queue at its start, all indices 0.
     *
     * @param features the negotiated features: EVENT_IDX and INDIRECT_DESC matter
     * @throws IllegalArgumentException if {@link QueueAddresses#faultIn} finds a fault: check first
     *     what a guest chose
     */
    public DeviceQueue(GuestMemory memory, QueueAddresses addresses, long features) {
        addresses.requireValidIn(memory);
        size = addresses.size();
        mask = size - 1;
        eventIdx = (features & Feature.EVENT_IDX) != 0;
        out = new long[(size + Long.SIZE - 1) / Long.SIZE];
        available = new AvailableRing(memory, addresses);
        used = new UsedRing(memory, addresses);
        descriptors = new DescriptorTable(memory);
        descriptors.map(addresses.descriptorTable(), size);
        int indirectCap = (features & Feature.INDIRECT_DESC) != 0 ? INDIRECT_CAP : 0;
        chain = new ChainCursor(memory, descriptors, size, indirectCap);
    }

    /**
     * A queue that another device, or this one in an earlier life, has left: it goes on at the
     * entry that used.idx names. Buffers that were taken and never returned are so taken again, as
     * a device that serves its buffers in their order may do.
     *
     * @param addresses valid in {@code memory}, as for a new queue
     * @param index where the driver's side says that taking stopped, 0 to 65535; what is more than
     *     a queue's length behind it is a fault
     */
    public static DeviceQueue resumed(
            GuestMemory memory, QueueAddresses addresses, long features, int index) {
        DeviceQueue queue = new DeviceQueue(memory, addresses, features);
        int returned = queue.used.idxAcquire();
        queue.published = returned;
        queue.nextAvailable = returned;
        queue.seenAvailable = returned;
        if (RingIndex.distance(returned, index) > queue.size) {
            queue.fault = QueueFault.RESUMED_ELSEWHERE;
        }
        return queue;
    }

    /** Takes the next available buffer. {@link #NONE}, {@link #CHAIN} or {@link #FAULT}. */
    public int poll() {
        if (fault() != null) {
            return FAULT;
        }
        if (nextAvailable == seenAvailable && !look()) {
            return fault == null ? NONE : FAULT;
        }
        int head = available.entry(nextAvailable & mask);
        if (head >= size) {
            fault = QueueFault.HEAD_OUT_OF_RANGE;
            return FAULT;
        }
        if (isOut(head)) {
            fault = QueueFault.HEAD_IN_USE;
            return FAULT;
        }
        out[head / Long.SIZE] |= 1L << head;
        nextAvailable = RingIndex.plus(nextAvailable, 1);
        chain.start(head);
        return CHAIN;
    }

    /** Reads avail.idx. True if there is something new. */
    private boolean look() {
        int idx = available.idxAcquire();
        int inWork = RingIndex.distance(published, nextAvailable);
        if (inWork + RingIndex.distance(nextAvailable, idx) > size) {
            fault = QueueFault.AVAILABLE_INDEX_JUMP;
            return false;
        }
        seenAvailable = idx;
        return idx != nextAvailable;
    }

    /** The buffer last taken. */
    public ChainCursor chain() {
        return chain;
    }

    /**
     * Returns a buffer, which {@link #publish} makes visible.
     *
     * @param head what the buffer's cursor said
     * @param written bytes written to the buffer's writable part, a le32
     * @throws IllegalStateException unless this buffer is out
     */
    public void complete(int head, int written) {
        if (!isOut(head)) {
            throw new IllegalStateException(
                    "buffer is not out: head=" + head + ", published=" + published);
        }
        out[head / Long.SIZE] &= ~(1L << head);
        int slot = RingIndex.plus(published, staged);
        used.element(slot & mask, head, written);
        staged++;
    }

    /**
     * Makes all completed buffers visible to the driver. What the device did for them happens
     * before.
     *
     * @return whether the driver wants an interrupt for it (VIRTIO 1.4, 2.7.7.2)
     */
    public boolean publish() {
        if (staged == 0) {
            return false;
        }
        int from = published;
        published = RingIndex.plus(from, staged);
        staged = 0;
        used.idxRelease(published);
        RingFences.betweenIndexStoreAndWishLoad();
        if (eventIdx) {
            return RingIndex.crosses(available.usedEventOpaque(), from, published);
        }
        return (available.flagsOpaque() & AvailableRingLayout.NO_INTERRUPT_FLAG) == 0;
    }

    /**
     * Asks the driver not to kick while this side is at work anyway. With EVENT_IDX an event index
     * left behind says so by itself.
     */
    public void disarm() {
        if (!eventIdx) {
            used.flagsOpaque(UsedRingLayout.NO_NOTIFY_FLAG);
        }
    }

    /**
     * Asks for a kick at the next available buffer, and looks once more.
     *
     * @return whether there is a buffer (or a fault) already: poll again, there may be no kick for
     *     it
     */
    public boolean armAndRecheck() {
        if (eventIdx) {
            used.availEventOpaque(nextAvailable);
        } else {
            used.flagsOpaque(0);
        }
        RingFences.betweenWishStoreAndIndexLoad();
        return fault() != null || nextAvailable != seenAvailable || look() || fault != null;
    }

    /**
     * The index up to which buffers are available now, taken or not: 16 bits, read from the ring.
     * It is the driver's word and may be any number.
     */
    public int availableIndex() {
        return available.idxAcquire();
    }

    /** Tells whether all buffers before an index have been taken, by wrapping 16-bit order. */
    public boolean hasTaken(int index) {
        return (short) (nextAvailable - index) >= 0;
    }

    /** The index up to which buffers were returned: where a queue that goes on starts. */
    public int returnedIndex() {
        return published;
    }

    /** Tells whether the buffer with this head was taken and not returned; any number. */
    public boolean isOut(int head) {
        return head >= 0 && head < size && ((out[head / Long.SIZE] >>> head) & 1) != 0;
    }

    /**
     * RAM was attached or detached: a ring that is not RAM any more, or a buffer in work that is
     * not, is a {@link #fault}.
     */
    public void memoryChanged() {
        if (fault() != null) {
            return;
        }
        if (!available.isRam() || !used.isRam() || !descriptors.isRam()) {
            fault = QueueFault.RING_OUTSIDE_RAM;
        } else if (isOut(chain.head())) {
            chain.memoryChanged();
        }
    }

    /** What the driver did wrong, or null. Once set, the queue stays where it is. */
    public @Nullable QueueFault fault() {
        return fault != null ? fault : chain.fault();
    }

    /** Entries of the queue. */
    public int size() {
        return size;
    }

    // save and restore

    /** Writes indices, buffers that are out, and the place in the buffer in work. */
    public void save(SnapshotWriter writer) {
        writer.writeShort(published);
        writer.writeShort(staged);
        writer.writeShort(nextAvailable);
        writer.writeShort(seenAvailable);
        for (long word : out) {
            writer.writeLong(word);
        }
        writer.writeText(fault == null ? "" : fault.name());
        chain.save(writer, isOut(chain.head()));
    }

    /**
     * A queue that goes on where the saved one stood. Guest RAM is not written, and read only when
     * the queue is served.
     *
     * @param addresses valid in {@code memory}, as for a new queue
     * @throws SnapshotException if no queue of this size can stand there
     */
    public static DeviceQueue restored(
            GuestMemory memory, QueueAddresses addresses, long features, SnapshotReader in)
            throws SnapshotException {
        DeviceQueue queue = new DeviceQueue(memory, addresses, features);
        queue.restore(in);
        return queue;
    }

    private void restore(SnapshotReader in) throws SnapshotException {
        published = in.readShort("published");
        staged = in.readShort("staged");
        nextAvailable = in.readShort("nextAvailable");
        seenAvailable = in.readShort("seenAvailable");
        int taken = RingIndex.distance(published, nextAvailable);
        if (taken + RingIndex.distance(nextAvailable, seenAvailable) > size) {
            throw SnapshotException.impossible("seenAvailable", seenAvailable);
        }
        int outCount = 0;
        for (int i = 0; i < out.length; i++) {
            out[i] = in.readLong("out");
            outCount += Long.bitCount(out[i]);
        }
        boolean inQueue = size >= Long.SIZE || out[0] >>> size == 0;
        if (!inQueue || outCount + staged != taken) {
            throw SnapshotException.impossible("out", outCount);
        }
        fault = QueueFault.named(in.readText("fault"));
        chain.restore(in);
    }
}
