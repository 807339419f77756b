package io.aerostat.virtio.queue;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.AvailableRingLayout;
import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.QueueLimits;
import io.aerostat.virtio.spec.UsedRingLayout;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * The driver's side of a split virtqueue.
 *
 * <pre>
 *   add(...) ─▶ head      stages, invisible          FULL: wait for used buffers
 *   publish()             visible at once; kick?
 *   poll()   ─▶ head      this buffer is back        NONE: armAndRecheck() asks for an interrupt
 * </pre>
 *
 * <p>A buffer is known by its head, 0 to size - 1, until {@link #poll} has returned it. Free
 * descriptors are linked in private arrays; nothing that a device could have written is trusted.
 *
 * <p>Owned by one thread. Allocates nothing after construction.
 */
public final class DriverQueue {
    /** What {@link #add} answers when there are too few free descriptors. */
    public static final int FULL = -1;

    /** What {@link #poll} answers when no buffer is back. */
    public static final int NONE = -1;

    /** What {@link #poll} answers when the device broke the ring: see {@link #fault()}. */
    public static final int FAULT = -2;

    private static final int NO_DESCRIPTOR = -1;

    private final DescriptorTable descriptors;
    private final AvailableRing available;
    private final UsedRing used;
    private final int size;
    private final int mask;
    private final boolean eventIdx;
    private final @Nullable IndirectTables indirectTables;

    /** Next free descriptor, or next of the chain, by descriptor. */
    private final int[] link;

    /** Descriptors of the chain by its head; 0 if no buffer is out under this head. */
    private final int[] chainLength;

    /** Bytes that the device may write by head. */
    private final long[] writableBytes;

    /** By head: how many buffers had been offered before this one. */
    private final long[] offeredBefore;

    private long offeredCount;
    private long publishedCount;

    private int freeHead;
    private int freeCount;
    private int nextAvailable;
    private int published;
    private int lastUsed;
    private int inFlight;
    private long usedLength;
    private @Nullable QueueFault fault;

    /**
     * A queue at its start. Zeroes the ring's memory.
     *
     * @param addresses where the device was told that the ring is
     * @param features the negotiated features: EVENT_IDX and INDIRECT_DESC matter
     * @param indirectTables room for indirect tables, or null to do without; not used unless
     *     INDIRECT_DESC was negotiated
     * @throws IllegalArgumentException if the addresses are no queue in {@code memory}
     */
    public DriverQueue(
            GuestMemory memory,
            QueueAddresses addresses,
            long features,
            @Nullable IndirectTables indirectTables) {
        addresses.requireValidIn(memory);
        size = addresses.size();
        mask = size - 1;
        eventIdx = (features & Feature.EVENT_IDX) != 0;
        if (indirectTables != null && indirectTables.queueSize() < size) {
            throw new IllegalArgumentException(
                    "indirect tables for too small a queue: queueSize="
                            + indirectTables.queueSize()
                            + ", size="
                            + size);
        }
        this.indirectTables = (features & Feature.INDIRECT_DESC) != 0 ? indirectTables : null;
        zero(memory, addresses.descriptorTable(), DescriptorLayout.offset(size));
        zero(memory, addresses.availableRing(), AvailableRingLayout.length(size));
        zero(memory, addresses.usedRing(), UsedRingLayout.length(size));
        descriptors = new DescriptorTable(memory);
        descriptors.map(addresses.descriptorTable(), size);
        available = new AvailableRing(memory, addresses);
        used = new UsedRing(memory, addresses);
        chainLength = new int[size];
        writableBytes = new long[size];
        offeredBefore = new long[size];
        link = new int[size];
        Arrays.setAll(link, i -> i + 1 < size ? i + 1 : NO_DESCRIPTOR);
        freeCount = size;
    }

    private static void zero(GuestMemory memory, long gpa, long length) {
        RamAccess.of(memory, gpa, length).fill(0, length, (byte) 0);
    }

    /**
     * Offers a buffer of one element, which {@link #publish} makes visible.
     *
     * @param gpa address of the element
     * @param length bytes, 1 to 2^32 - 1
     * @param writable whether the device writes it
     * @return the buffer's head, or {@link #FULL}
     */
    public int add(long gpa, long length, boolean writable) {
        checkElement(length);
        if (freeCount == 0) {
            return FULL;
        }
        int head = freeHead;
        freeHead = link[head];
        freeCount--;
        descriptors.set(head, gpa, length, writable ? DescriptorLayout.WRITE_FLAG : 0, 0);
        link[head] = NO_DESCRIPTOR;
        offer(head, 1, writable ? length : 0);
        return head;
    }

    /**
     * Offers a buffer of several elements, the readable ones first, which {@link #publish} makes
     * visible. With INDIRECT_DESC and room for tables it takes one descriptor of the ring,
     * otherwise one for each element.
     *
     * @param gpas addresses of the elements
     * @param lengths their bytes, each 1 to 2^32 - 1, together at most 2^32
     * @param readable how many of them the device reads
     * @param writable how many further ones it writes
     * @return the buffer's head, or {@link #FULL}
     * @throws IllegalArgumentException if the buffer could never be offered
     */
    public int add(long[] gpas, long[] lengths, int readable, int writable) {
        int elements = readable + writable;
        if (readable < 0 || writable < 0 || elements <= 0 || elements > size) {
            throw new IllegalArgumentException(
                    "a buffer has 1 to "
                            + size
                            + " elements: readable="
                            + readable
                            + ", writable="
                            + writable);
        }
        long bytes = 0;
        long bytesToWrite = 0;
        for (int i = 0; i < elements; i++) {
            checkElement(lengths[i]);
            bytes += lengths[i];
            bytesToWrite += i < readable ? 0 : lengths[i];
        }
        if (bytes > QueueLimits.MAX_CHAIN_BYTES) {
            throw new IllegalArgumentException("buffer exceeds 2^32 bytes: bytes=" + bytes);
        }
        IndirectTables tables = tablesFor(elements);
        int needed = tables != null ? 1 : elements;
        if (freeCount < needed) {
            return FULL;
        }
        int head = freeHead;
        if (tables != null) {
            freeHead = link[head];
            link[head] = NO_DESCRIPTOR;
            long table = tables.write(head, gpas, lengths, readable, elements);
            long length = DescriptorLayout.offset(elements);
            descriptors.set(head, table, length, DescriptorLayout.INDIRECT_FLAG, 0);
        } else {
            writeDirect(gpas, lengths, readable, elements);
        }
        freeCount -= needed;
        offer(head, needed, bytesToWrite);
        return head;
    }

    private @Nullable IndirectTables tablesFor(int elements) {
        boolean useful = indirectTables != null && elements > 1 && indirectTables.fits(elements);
        return useful ? indirectTables : null;
    }

    private void writeDirect(long[] gpas, long[] lengths, int readable, int elements) {
        int index = freeHead;
        for (int i = 0; i < elements; i++) {
            boolean last = i == elements - 1;
            int next = link[index];
            int flags =
                    (last ? 0 : DescriptorLayout.NEXT_FLAG)
                            | (i < readable ? 0 : DescriptorLayout.WRITE_FLAG);
            descriptors.set(index, gpas[i], lengths[i], flags, last ? 0 : next);
            if (last) {
                link[index] = NO_DESCRIPTOR;
                freeHead = next;
            }
            index = next;
        }
    }

    private static void checkElement(long length) {
        if (length <= 0 || length >>> Integer.SIZE != 0) {
            throw new IllegalArgumentException(
                    "element length must be 1 to 2^32 - 1: length=" + length);
        }
    }

    private void offer(int head, int descriptorCount, long bytesToWrite) {
        chainLength[head] = descriptorCount;
        writableBytes[head] = bytesToWrite;
        offeredBefore[head] = offeredCount++;
        available.entry(nextAvailable & mask, head);
        nextAvailable = RingIndex.plus(nextAvailable, 1);
        inFlight++;
    }

    /**
     * Makes all added buffers visible to the device.
     *
     * @return whether the device wants a kick for it (VIRTIO 1.4, 2.7.10.1)
     */
    public boolean publish() {
        if (published == nextAvailable) {
            return false;
        }
        int from = published;
        published = nextAvailable;
        publishedCount = offeredCount;
        available.idxRelease(published);
        RingFences.betweenIndexStoreAndWishLoad();
        if (eventIdx) {
            return RingIndex.crosses(used.availEventOpaque(), from, published);
        }
        return (used.flagsOpaque() & UsedRingLayout.NO_NOTIFY_FLAG) == 0;
    }

    /**
     * Takes back one buffer that the device has used.
     *
     * @return its head, {@link #NONE} or {@link #FAULT}; {@link #usedLength()} says how much the
     *     device wrote
     */
    public int poll() {
        if (fault != null) {
            return FAULT;
        }
        int idx = used.idxAcquire();
        if (idx == lastUsed) {
            return NONE;
        }
        int unpublished = RingIndex.distance(published, nextAvailable);
        if (RingIndex.distance(lastUsed, idx) > inFlight - unpublished) {
            return fail(QueueFault.USED_INDEX_JUMP);
        }
        int slot = lastUsed & mask;
        long id = used.id(slot);
        long length = used.length(slot);
        if (id >= size || !isWithDevice((int) id)) {
            return fail(QueueFault.USED_ID_NOT_IN_FLIGHT);
        }
        int head = (int) id;
        // Nothing can be written to a readable buffer: some devices say what they read (old QEMU).
        boolean readable = writableBytes[head] == 0;
        if (!readable && length > writableBytes[head]) {
            return fail(QueueFault.USED_LENGTH_TOO_LONG);
        }
        lastUsed = RingIndex.plus(lastUsed, 1);
        usedLength = readable ? 0 : length;
        release(head);
        return head;
    }

    /** Added and published: a device may guess the head of one that is only added. */
    private boolean isWithDevice(int head) {
        return chainLength[head] != 0 && offeredBefore[head] < publishedCount;
    }

    private void release(int head) {
        int last = head;
        while (link[last] != NO_DESCRIPTOR) {
            last = link[last];
        }
        link[last] = freeHead;
        freeHead = head;
        freeCount += chainLength[head];
        chainLength[head] = 0;
        inFlight--;
    }

    private int fail(QueueFault found) {
        fault = found;
        return FAULT;
    }

    /**
     * Bytes that the device wrote to the buffer last taken back, from the start of its writable
     * part; 0 for one that it could only read, whatever it says.
     */
    public long usedLength() {
        return usedLength;
    }

    /**
     * Asks the device not to interrupt while this side polls. With EVENT_IDX an event index left
     * behind says so by itself.
     */
    public void disarm() {
        if (!eventIdx) {
            available.flagsOpaque(AvailableRingLayout.NO_INTERRUPT_FLAG);
        }
    }

    /**
     * Asks for an interrupt at the next used buffer, and looks once more.
     *
     * @return whether a buffer is back (or the ring broken) already: poll again, there may be no
     *     interrupt for it
     */
    public boolean armAndRecheck() {
        if (eventIdx) {
            available.usedEventOpaque(lastUsed);
        } else {
            available.flagsOpaque(0);
        }
        RingFences.betweenWishStoreAndIndexLoad();
        return fault != null || used.idxAcquire() != lastUsed;
    }

    /** Buffers added and not yet taken back. */
    public int inFlight() {
        return inFlight;
    }

    /** Descriptors that are free. */
    public int freeDescriptors() {
        return freeCount;
    }

    /** Entries of the queue. */
    public int size() {
        return size;
    }

    /** What the device did wrong, or null. Once set, the queue stays where it is. */
    public @Nullable QueueFault fault() {
        return fault;
    }
}
