package io.aerostat.vmm.vm;

/** How far a guest's balloon driver has come, as a promise to its host must know. */
public enum DriverState {
    /** No driver is up. */
    ABSENT,
    /** A driver is up. */
    UP,
    /** A driver was up and broke a ring: nothing moves until it starts anew. */
    BROKEN
}
