package io.aerostat.guest.balloon;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.spec.balloon.StatEntryLayout;
import io.aerostat.virtio.spec.balloon.StatTag;

/**
 * The statistics of one guest, each under its tag once. The first collection says which ones there
 * are; from then on only values change, because a device may rely on the same tags in every buffer
 * (VIRTIO 1.4, 5.5.6.3.1). One that a later collection leaves out keeps its value.
 */
public final class StatisticsBuffer {
    /** How many statistics there may be. */
    public static final int MAX_ENTRIES = 64;

    private static final int MAX_TAG = 0xFFFF;

    private final int[] tags = new int[MAX_ENTRIES];
    private final long[] values = new long[MAX_ENTRIES];
    private int count;
    private int next;
    private boolean isComplete;

    /** An empty buffer. */
    StatisticsBuffer() {}

    /**
     * Sets the value of a statistic.
     *
     * @param value in the tag's unit
     */
    public void put(StatTag tag, long value) {
        put(tag.tag(), value);
    }

    /**
     * Sets the value of a statistic that may have no name here.
     *
     * @param tag 0 to 65535
     * @param value 64 bits without sign
     * @throws IllegalArgumentException if the tag is out of range
     * @throws IllegalStateException if the first collection did not have this tag, or it is one too
     *     many
     */
    public void put(int tag, long value) {
        if (tag < 0 || tag > MAX_TAG) {
            throw new IllegalArgumentException("tag out of range: tag=" + tag);
        }
        int entry = entryOf(tag);
        values[entry] = value;
        next = entry + 1;
    }

    /** Sources tend to keep to one order: the entry after the last one is looked at first. */
    private int entryOf(int tag) {
        if (next < count && tags[next] == tag) {
            return next;
        }
        for (int entry = 0; entry < count; entry++) {
            if (tags[entry] == tag) {
                return entry;
            }
        }
        if (isComplete || count == MAX_ENTRIES) {
            throw new IllegalStateException(
                    "the statistics are the same in each collection, and at most "
                            + MAX_ENTRIES
                            + ": tag="
                            + tag
                            + ", entries="
                            + count);
        }
        tags[count] = tag;
        return count++;
    }

    /** Collects anew. */
    void collectFrom(StatisticsSource source) {
        next = 0;
        source.collect(this);
        if (count == 0) {
            throw new IllegalStateException("the source has no statistics: source=" + source);
        }
        isComplete = true;
    }

    /** Writes all entries; how many bytes they take. */
    int write(RamAccess to) {
        int offset = 0;
        for (int entry = 0; entry < count; entry++) {
            to.putShort(offset + StatEntryLayout.TAG_OFFSET, tags[entry]);
            to.putLong(offset + StatEntryLayout.VALUE_OFFSET, values[entry]);
            offset += StatEntryLayout.LENGTH;
        }
        return offset;
    }
}
