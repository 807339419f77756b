package io.aerostat.vmm.guest;

/**
 * What {@code free} says inside the guest, in bytes. As in Linux without DEFLATE_ON_OOM, what is in
 * the balloon is missing from the total.
 *
 * @param total all memory that the guest has
 * @param used what is taken: by the workload, and by the driver's own rings and buffers
 * @param free what is not
 */
public record FreeMemory(long total, long used, long free) {}
