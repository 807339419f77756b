package io.aerostat.balloon.range;

/**
 * Gives guest pages back to the host, and takes them again. The seam between the balloon and the
 * memory that stands behind guest RAM: an embedder may bring its own.
 *
 * <p>Called by the device's owner thread alone, with ranges that are RAM, do not overlap and
 * ascend. An implementation does not keep the list. It never throws for a failure of the operating
 * system: it counts it, and what it answers is less than what it was asked.
 *
 * <p>What is discarded, and what residency is asked about, are whole units of {@link
 * #granularityBytes()} inside guest RAM; anything else is a caller's mistake: {@link
 * IllegalArgumentException}, before any of it is touched.
 */
public interface PageReclaimer {
    /** What {@link #residentBytes} answers when the host cannot tell. */
    long UNKNOWN = -1;

    /** What a page holds when it is touched again after {@link #discard}. */
    enum Content {
        /** Zeros. */
        ZERO,
        /** What it held before. */
        UNCHANGED,
        /** Anything. */
        UNDEFINED
    }

    /**
     * Unit in bytes that the host can give back, a power of two from 4096 up. The balloon rounds
     * ranges inwards to it.
     */
    int granularityBytes();

    /** What discarded pages hold afterwards. */
    Content contentAfterDiscard();

    /**
     * Gives the memory behind the ranges back to the host; returns when that is done.
     *
     * @return bytes that the host accepted, at most {@link PageRanges#bytes()}
     */
    long discard(PageRanges ranges);

    /**
     * Tells that the guest is about to use the ranges again: guest pages of 4096 bytes where RAM
     * can be, whatever the unit. Memory may as well come back at the first touch.
     */
    void reuse(PageRanges ranges);

    /**
     * Tells that RAM was attached or detached. What is detached must not be touched, and {@link
     * #discard} is not asked to. A call from outside of the data path: it may take its time.
     */
    default void memoryChanged() {}

    /** Calls made to the host for {@link #discard} since the start. */
    long discardCalls();

    /**
     * Bytes of a range that are resident now, in the host's own words and never from our own
     * counting; {@link #UNKNOWN} if it cannot tell. May be slow.
     *
     * @param gpa guest-physical address, a multiple of {@link #granularityBytes()}
     * @param length bytes, a multiple of {@link #granularityBytes()}
     */
    long residentBytes(long gpa, long length);
}
