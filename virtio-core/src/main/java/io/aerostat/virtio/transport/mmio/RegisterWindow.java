package io.aerostat.virtio.transport.mmio;

/** A window of registers on a bus, seen from the processor. */
public interface RegisterWindow {
    /**
     * Reads a register.
     *
     * @param offset offset in the window in bytes
     * @param width bytes: 1, 2, 4 or 8
     * @return the value, little-endian, zero-extended
     */
    long load(long offset, int width);

    /**
     * Writes a register.
     *
     * @param offset offset in the window in bytes
     * @param width bytes: 1, 2, 4 or 8
     * @param value the value in its low bytes, little-endian
     */
    void store(long offset, int width, long value);
}
