package io.aerostat.virtio.queue;

import io.aerostat.virtio.snapshot.SnapshotException;

import org.jspecify.annotations.Nullable;

/**
 * What a peer did to a ring that leaves no way on. The queue that finds it stops; only a reset
 * helps. Nothing is thrown across a queue.
 */
public enum QueueFault {
    /**
     * The driver enabled a queue of a size that is no power of two from 1 to the queue's maximum
     * (VIRTIO 1.4, 2.7).
     */
    SIZE_INVALID("queue size is not a power of two within the maximum"),
    /** The driver placed a ring part at a misaligned address (2.7). */
    RING_MISALIGNED("ring part is misaligned"),
    /** The driver placed a ring part where there is no RAM. */
    RING_OUTSIDE_RAM("ring part is not guest RAM"),
    /** The driver placed a ring part in memory that it has given to the device. */
    RING_GIVEN_AWAY("ring part is in memory that was given to the device"),
    /** A queue is to go on where its used ring cannot stand. */
    RESUMED_ELSEWHERE("queue is resumed at an index that its used ring contradicts"),
    /** avail.idx went backwards, or further ahead than the queue has entries (2.7.6). */
    AVAILABLE_INDEX_JUMP("available index jumped"),
    /** An available ring entry names a descriptor that does not exist. */
    HEAD_OUT_OF_RANGE("head is not a descriptor of the queue"),
    /** An available ring entry names a buffer that the device has not returned yet. */
    HEAD_IN_USE("head is of a buffer that was not returned"),
    /** A descriptor names a next descriptor that does not exist. */
    NEXT_OUT_OF_RANGE("next is not a descriptor of the table"),
    /** A chain has more descriptors than its table: it loops (2.7.5.2). */
    CHAIN_LOOPS("chain has more descriptors than its table"),
    /** The elements of a chain exceed 2^32 bytes (2.7.5.2). */
    CHAIN_TOO_LONG("chain exceeds 2^32 bytes"),
    /** An element has no bytes. */
    ELEMENT_EMPTY("element has no bytes"),
    /** An element is not wholly in guest RAM. */
    ELEMENT_OUTSIDE_RAM("element is not guest RAM"),
    /** A device-readable element follows a device-writable one (2.7.4.2). */
    READABLE_AFTER_WRITABLE("readable element follows a writable one"),
    /** A descriptor is indirect though INDIRECT_DESC was not negotiated (2.7.5.3.1). */
    INDIRECT_NOT_NEGOTIATED("indirect descriptor without INDIRECT_DESC"),
    /** A descriptor is indirect and has a next one (2.7.5.3.1). */
    INDIRECT_WITH_NEXT("indirect descriptor has NEXT"),
    /** An indirect table has an indirect descriptor (2.7.5.3.1). */
    INDIRECT_NESTED("indirect descriptor inside an indirect table"),
    /** An indirect table's length is 0 or no multiple of 16 (2.7.5.3). */
    INDIRECT_LENGTH_INVALID("indirect table length is not a multiple of 16 above 0"),
    /** An indirect table has more descriptors than this device takes. */
    INDIRECT_TOO_LONG("indirect table exceeds the cap"),
    /** An indirect table is not wholly in guest RAM. */
    INDIRECT_OUTSIDE_RAM("indirect table is not guest RAM"),
    /** used.idx went backwards, or past what is in flight (2.7.8). */
    USED_INDEX_JUMP("used index jumped"),
    /** A used element names no buffer that is in flight. */
    USED_ID_NOT_IN_FLIGHT("used id is not in flight"),
    /** A used element claims more bytes than its buffer lets the device write. */
    USED_LENGTH_TOO_LONG("used length exceeds the writable part");

    private final String description;

    QueueFault(String description) {
        this.description = description;
    }

    /**
     * The fault of a name in a snapshot, or null for the empty one. Names, because they don't move
     * when a fault is added.
     */
    static @Nullable QueueFault named(String name) throws SnapshotException {
        for (QueueFault fault : values()) {
            if (fault.name().equals(name)) {
                return fault;
            }
        }
        if (!name.isEmpty()) {
            throw new SnapshotException("snapshot has an impossible value: fault=" + name);
        }
        return null;
    }

    /** What happened, for a log line. */
    public String description() {
        return description;
    }
}
