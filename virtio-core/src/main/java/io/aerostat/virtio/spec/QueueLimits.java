package io.aerostat.virtio.spec;

/** Limits of a split virtqueue (VIRTIO 1.4, 2.7). */
public final class QueueLimits {
    /** Largest number of entries of a queue. */
    public static final int MAX_SIZE = 32768;

    /** Largest number of bytes in a chain (2.7.5.2). */
    public static final long MAX_CHAIN_BYTES = 1L << 32;

    private QueueLimits() {}

    /**
     * Tells whether a split queue may have {@code size} entries: a power of two from 1 to {@link
     * #MAX_SIZE}.
     */
    public static boolean isValidSize(int size) {
        return size > 0 && size <= MAX_SIZE && Integer.bitCount(size) == 1;
    }

    /**
     * Refuses a size that no split queue may have.
     *
     * @throws IllegalArgumentException unless {@link #isValidSize}
     */
    public static void requireValidSize(int size) {
        if (!isValidSize(size)) {
            throw new IllegalArgumentException(
                    "queue size must be a power of two from 1 to "
                            + MAX_SIZE
                            + ": queueSize="
                            + size);
        }
    }
}
