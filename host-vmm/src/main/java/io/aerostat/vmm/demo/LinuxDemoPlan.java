package io.aerostat.vmm.demo;

import io.aerostat.vmm.vm.GuestSize;

/**
 * What the demo with a Linux guest shall show.
 *
 * @param memory the guest's memory, as its kernel is told: some of it is not offered to the host
 * @param target what setmem brings the guest to
 * @param useBytes what the guest writes and frees before and after, less than {@code target}
 */
public record LinuxDemoPlan(GuestSize memory, GuestSize target, long useBytes) {}
