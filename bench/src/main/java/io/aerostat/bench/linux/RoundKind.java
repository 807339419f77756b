package io.aerostat.bench.linux;

/** What a round does to the balloon. */
enum RoundKind {
    /** Grows; the guest has written to the pages, so that the host has memory to take back. */
    INFLATE_DIRTY("inflate, dirty", 0),
    /** Grows; nobody has written to the pages since they were in the balloon last. */
    INFLATE_CLEAN("inflate, clean", 0),
    /** Shrinks. */
    DEFLATE("deflate", 1);

    private final String label;
    private final int ring;

    RoundKind(String label, int ring) {
        this.label = label;
        this.ring = ring;
    }

    /** For tables. */
    String label() {
        return label;
    }

    /** The number of the ring that its requests go through. */
    int ring() {
        return ring;
    }
}
