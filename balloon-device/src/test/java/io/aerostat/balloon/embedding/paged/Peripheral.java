package io.aerostat.balloon.embedding.paged;

/** A device of a {@link PagedMachine}. */
public interface Peripheral {
    /**
     * Reads.
     *
     * @param address in the machine's address space
     * @param bits 8, 16, 32 or 64
     */
    long read(long address, int bits);

    /** Writes, see {@link #read}. */
    void write(long address, int bits, long value);

    /** A frame is over. */
    void endOfFrame();
}
