package io.aerostat.virtio.spec.balloon;

import org.jspecify.annotations.Nullable;

/**
 * The statistics that a driver may supply (VIRTIO 1.4, 5.5.6.3.1; from {@link #OOM_KILL} on: Linux,
 * {@code virtio_balloon.h}). The constant's place is its tag.
 *
 * <p>Amounts of memory are in bytes; events are counted since the guest's start.
 */
public enum StatTag {
    /** Memory read back from swap, in bytes. */
    SWAP_IN(Unit.BYTES),
    /** Memory written to swap, in bytes. */
    SWAP_OUT(Unit.BYTES),
    /** Page faults that needed input. */
    MAJFLT(Unit.EVENTS),
    /** Page faults that did not. */
    MINFLT(Unit.EVENTS),
    /** Memory that is not used for anything, in bytes. */
    MEMFREE(Unit.BYTES),
    /** Memory of the guest, in bytes. */
    MEMTOT(Unit.BYTES),
    /** What could be given to new programs without swapping, in bytes. */
    AVAIL(Unit.BYTES),
    /** What disk caches hold and could be dropped, in bytes. */
    CACHES(Unit.BYTES),
    /** Huge pages that were allocated. */
    HTLB_PGALLOC(Unit.EVENTS),
    /** Huge pages that could not be. */
    HTLB_PGFAIL(Unit.EVENTS),
    /** Processes killed for want of memory. */
    OOM_KILL(Unit.EVENTS),
    /** Allocations that had to wait for reclaim. */
    ALLOC_STALL(Unit.EVENTS),
    /** Memory looked at by background reclaim, in bytes. */
    ASYNC_SCAN(Unit.BYTES),
    /** Memory looked at by allocations that had to reclaim, in bytes. */
    DIRECT_SCAN(Unit.BYTES),
    /** Memory freed by background reclaim, in bytes. */
    ASYNC_RECLAIM(Unit.BYTES),
    /** Memory freed by allocations that had to reclaim, in bytes. */
    DIRECT_RECLAIM(Unit.BYTES);

    /** What a value counts. */
    public enum Unit {
        /** Bytes. */
        BYTES,
        /** Times that something happened. */
        EVENTS
    }

    private static final StatTag[] TAGS = values();

    private final Unit unit;

    StatTag(Unit unit) {
        this.unit = unit;
    }

    /** The number that stands for it in an entry. */
    public int tag() {
        return ordinal();
    }

    /** What its value counts. */
    public Unit unit() {
        return unit;
    }

    /** The statistic with this tag, or null if it has no name here. */
    public static @Nullable StatTag ofTag(int tag) {
        return tag >= 0 && tag < TAGS.length ? TAGS[tag] : null;
    }
}
