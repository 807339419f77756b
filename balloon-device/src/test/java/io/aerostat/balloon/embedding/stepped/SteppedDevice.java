package io.aerostat.balloon.embedding.stepped;

import java.io.IOException;

/** A device of a {@link SteppedMachine}. */
public interface SteppedDevice {
    /**
     * Reads.
     *
     * @param offset from the device's first register
     * @param bytes 1, 2 or 4
     */
    int read(int offset, int bytes);

    /** Writes, see {@link #read}. */
    void write(int offset, int bytes, int value);

    /**
     * Virtual time has come so far.
     *
     * @param cycles since the machine was made
     */
    void step(long cycles);

    /** The device's state. */
    byte[] saveState();

    /**
     * Goes on from what {@link #saveState} of the same kind of device answered.
     *
     * @throws IOException if the bytes are none such
     */
    void loadState(byte[] state) throws IOException;
}
