package io.aerostat.guest.mm;

/** What an access to a page did. */
public enum FaultOutcome {
    /** The page was there: no fault. */
    NONE,
    /** The page was made: nobody had to wait. */
    MINOR,
    /** The page was read from a disk: whoever accessed it waits for the disk first. */
    MAJOR,
    /** There is no memory yet, but it was promised: nothing was accessed; try again soon. */
    AGAIN,
    /** The process is killed; nothing was accessed. */
    KILLED;

    /** Tells whether the page is there now, so that the access took place. */
    public boolean isPresent() {
        return this == NONE || this == MINOR || this == MAJOR;
    }
}
