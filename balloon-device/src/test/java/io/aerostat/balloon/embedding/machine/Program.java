package io.aerostat.balloon.embedding.machine;

/** What a processor runs. Its variables are in the machine's RAM, and nowhere else. */
public interface Program {
    /** The processor was reset: the program starts. */
    void boot();

    /** The processor took an interrupt. */
    void interrupt(int source);

    /**
     * Goes on a little.
     *
     * @return false if there is nothing to do until the next interrupt
     */
    boolean step();
}
