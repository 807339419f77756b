/**
 * What is said about a guest, and asked of it, over a QMP socket: the protocol of QEMU's monitor.
 * Start with {@link io.aerostat.vmm.monitor.MonitoredGuest}, the seam to whoever runs the guest.
 *
 * <p>Knows sizes and outcomes. Does not know devices, rings or how a guest is run.
 */
@NullMarked
package io.aerostat.vmm.monitor;

import org.jspecify.annotations.NullMarked;
