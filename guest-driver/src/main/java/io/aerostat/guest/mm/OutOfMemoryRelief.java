package io.aerostat.guest.mm;

/**
 * Somebody who can give memory back rather than see a process killed. Behind it may stand a balloon
 * that deflates.
 */
@FunctionalInterface
public interface OutOfMemoryRelief {
    /** Nobody. */
    OutOfMemoryRelief NONE = pages -> 0;

    /**
     * Asks for memory. It must not allocate, but may free pages before it returns.
     *
     * @param pages how many are wanted, at least 1
     * @return how many are free again, now or soon; 0 if none
     */
    long relieve(long pages);
}
