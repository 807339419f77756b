/**
 * A real Linux guest as a child process: User Mode Linux, Debian's package of it, with a small
 * initramfs of ours whose first process runs commands that arrive on the console.
 *
 * <p>Start with {@link io.aerostat.vmm.linux.LinuxGuest}; {@link
 * io.aerostat.vmm.linux.LinuxPackages} says what must be installed. The words on the console are in
 * {@link io.aerostat.vmm.linux.ConsoleProtocol} and, for the guest's side, in the resource {@code
 * init}.
 *
 * <p>Knows processes, files and the guest's console. Does not know devices, vhost-user or monitors:
 * a balloon is a socket's path here.
 */
@NullMarked
package io.aerostat.vmm.linux;

import org.jspecify.annotations.NullMarked;
