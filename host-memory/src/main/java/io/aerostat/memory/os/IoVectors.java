package io.aerostat.memory.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An array of {@code struct iovec} with room made beforehand, to be filled again and again.
 *
 * <pre>
 *   offset 0  iov_base  8 bytes  address in this process
 *   offset 8  iov_len   8 bytes
 * </pre>
 *
 * <p>Belongs to one thread at a time. Its native memory lives as long as the object. Source:
 * iovec(3type).
 */
public final class IoVectors {
    /** Most vectors that one call takes: {@code IOV_MAX}, see readv(2). */
    public static final int MAX_COUNT = 1024;

    private static final long BASE_OFFSET = 0;
    private static final long LENGTH_OFFSET = BASE_OFFSET + Long.BYTES;
    private static final long VECTOR_LENGTH = LENGTH_OFFSET + Long.BYTES;

    private final MemorySegment array;
    private final int capacity;
    private int count;

    /**
     * An empty array.
     *
     * @param capacity most vectors it can hold, 1 to {@link #MAX_COUNT}
     */
    public IoVectors(int capacity) {
        if (capacity < 1 || capacity > MAX_COUNT) {
            throw new IllegalArgumentException("no such vector capacity: capacity=" + capacity);
        }
        this.capacity = capacity;
        this.array = Arena.ofAuto().allocate(capacity * VECTOR_LENGTH, Long.BYTES);
    }

    /** How many vectors there are. */
    public int count() {
        return count;
    }

    /** Tells whether there is no room for another one. */
    public boolean isFull() {
        return count == capacity;
    }

    /** Forgets all vectors. */
    public void clear() {
        count = 0;
    }

    /**
     * Appends a vector.
     *
     * @param address of the first byte, in this process
     * @param length bytes, 0 or more
     * @throws IndexOutOfBoundsException if the array is full
     */
    public void add(long address, long length) {
        long at = count * VECTOR_LENGTH;
        array.set(ValueLayout.JAVA_LONG, at + BASE_OFFSET, address);
        array.set(ValueLayout.JAVA_LONG, at + LENGTH_OFFSET, length);
        count++;
    }

    /** Address of the first vector in this process, for structures that point to the array. */
    public long address() {
        return array.address();
    }

    /** The array itself. */
    MemorySegment array() {
        return array;
    }

    @Override
    public String toString() {
        return "IoVectors[count=" + count + ", capacity=" + capacity + "]";
    }
}
