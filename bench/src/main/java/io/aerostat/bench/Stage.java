package io.aerostat.bench;

/** How much of the device takes part. */
public enum Stage {
    /** The rings alone. */
    RING,
    /** And page numbers read, merged into ranges and kept in the ledger. */
    LEDGER,
    /** And resident anonymous memory given back to the host. */
    ANONYMOUS,
    /** And resident memory of a memory file given back to the host. */
    MEMFD;

    boolean givesBack() {
        return this == ANONYMOUS || this == MEMFD;
    }
}
