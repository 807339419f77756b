package io.aerostat.bench.linux;

/**
 * The device's share of a change of the balloon.
 *
 * @param spanNs from its first kick to its last interrupt
 * @param busyNs from kick to interrupt, all requests together
 * @param cpuNs that its thread ran for, messages of the front-end included
 */
record DeviceTime(long spanNs, long busyNs, long cpuNs) {}
