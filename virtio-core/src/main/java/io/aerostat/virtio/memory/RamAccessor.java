package io.aerostat.virtio.memory;

/**
 * Guest RAM that has neither an address nor a buffer: the seam to an embedder's own memory, such as
 * {@link PagedArray}.
 *
 * <p>Offsets count from the region's first byte and have been checked: the whole access is inside
 * the region. Values are little-endian. An access of 2, 4 or 8 bytes at a multiple of its width is
 * a single one, so that a guest that runs on another thread never sees half of it; the accesses
 * themselves are plain, fences stand around them. Called by whoever owns a side of a queue, one
 * thread at a time. Never throws: the guest chooses the address.
 */
public interface RamAccessor {
    /**
     * Reads a value, zero-extended.
     *
     * @param offset bytes, any number inside the region
     * @param width 1, 2, 4 or 8 bytes
     */
    long load(long offset, int width);

    /**
     * Writes the low {@code width} bytes of a value.
     *
     * @param offset bytes, any number inside the region
     * @param width 1, 2, 4 or 8 bytes
     */
    void store(long offset, int width, long value);

    /** Reads {@code count} values of 4 bytes into {@code target}, from {@code index} on. */
    default void loadInts(long offset, int[] target, int index, int count) {
        for (int i = 0; i < count; i++) {
            target[index + i] = (int) load(offset + (long) i * Integer.BYTES, Integer.BYTES);
        }
    }

    /** Writes {@code count} values of 4 bytes from {@code source}, from {@code index} on. */
    default void storeInts(long offset, int[] source, int index, int count) {
        for (int i = 0; i < count; i++) {
            store(offset + (long) i * Integer.BYTES, Integer.BYTES, source[index + i]);
        }
    }

    /** Sets {@code count} bytes to {@code value}. */
    default void fill(long offset, long count, byte value) {
        for (long i = 0; i < count; i++) {
            store(offset + i, Byte.BYTES, value);
        }
    }
}
