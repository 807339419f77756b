package io.aerostat.balloon.embedding.machine;

/** Sources 1 to 31, and what of them a processor is to be told. */
public interface InterruptController {
    /** What {@link #claim} answers if there is nothing. */
    int NONE = 0;

    /** A device drives its line. Any thread. */
    void set(int source, boolean level);

    /** Takes the lowest source that is pending and not being handled, or {@link #NONE}. */
    int claim();

    /** The source was handled, and may be claimed again. */
    void complete(int source);

    /** Tells whether {@link #claim} would find one. */
    boolean isPending();
}
