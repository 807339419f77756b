package io.aerostat.balloon.embedding.flat;

/** A device in the address space of a {@link FlatMachine}. */
public interface MappedDevice {
    /** Bytes of address space that it takes. */
    int length();

    /**
     * Reads.
     *
     * @param offset from where the device was mapped
     * @param sizeLog2 0 to 3, for 1 to 8 bytes
     */
    long load(int offset, int sizeLog2);

    /** Writes, see {@link #load}. */
    void store(int offset, long value, int sizeLog2);

    /**
     * A device has asked for the processor's thread, by {@link FlatMachine#wakeUp}, or the host's
     * timer has: every 10 ms, for those that look at the clock.
     *
     * @return whether this one has more to do
     */
    default boolean attend() {
        return false;
    }
}
