/**
 * The host's side of a virtual machine: RAM, the balloon device on its bus, the thread that owns
 * it, and the promise to bring the guest to a size.
 *
 * <p>Start with {@link io.aerostat.vmm.vm.VirtualMachine}. {@link io.aerostat.vmm.vm.GuestSize} and
 * {@link io.aerostat.vmm.vm.BalloonSize} are different types on purpose: what one grows by, the
 * other shrinks by.
 *
 * <p>Knows backends, the device and its registers. Does not know what the guest is or how users
 * speak to the host.
 */
@NullMarked
package io.aerostat.vmm.vm;

import org.jspecify.annotations.NullMarked;
