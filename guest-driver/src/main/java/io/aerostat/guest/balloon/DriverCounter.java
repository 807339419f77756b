package io.aerostat.guest.balloon;

/** Everything that a balloon driver counts since it was made; resets do not set it back. */
public enum DriverCounter {
    /** Pages that went into the balloon, confirmed; those that took the place of another too. */
    PAGES_INFLATED,
    /** Pages that came back out of it, confirmed; those that another took the place of too. */
    PAGES_DEFLATED,
    /** Pages that were sent back for want of memory. */
    PAGES_DEFLATED_ON_OOM,
    /** Pages of the balloon that another has taken the place of. */
    PAGES_MIGRATED,
    /** Statistics buffers that were shown to the device. */
    STATISTICS_SENT,
    /** Free pages that were reported and confirmed. */
    PAGES_REPORTED,
    /** Free pages that were hinted. */
    PAGES_HINTED,
    /** Hinted pages that the guest took back before the device was done with them. */
    HINTED_PAGES_TAKEN_BACK,
    /** Times that the device was lost and reset. */
    RESTARTS
}
