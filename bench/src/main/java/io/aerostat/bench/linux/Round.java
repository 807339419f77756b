package io.aerostat.bench.linux;

/**
 * One change of the balloon that counts.
 *
 * @param kind what was done
 * @param change how it went
 * @param releasedBytes of the guest's RAM that the host had to provide before and not after
 */
record Round(RoundKind kind, Change change, long releasedBytes) {}
