package io.aerostat.balloon.embedding.machine;

import java.lang.invoke.VarHandle;

/** What a processor sees: RAM and devices, each at an address. Little-endian. */
public interface Bus {
    /**
     * Reads.
     *
     * @param width bytes: 1, 2, 4 or 8
     * @return the value, zero-extended; 0 where there is nothing
     */
    long load(long address, int width);

    /**
     * Writes the low bytes of a value; nothing happens where there is nothing.
     *
     * @param width bytes: 1, 2, 4 or 8
     */
    void store(long address, int width, long value);

    /** The processor's fence instruction: for devices that run on a thread of their own. */
    default void fence() {
        VarHandle.fullFence();
    }
}
