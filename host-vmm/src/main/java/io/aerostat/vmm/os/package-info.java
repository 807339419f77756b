/**
 * The operating system's calls that a host of guests needs besides memory: sockets that carry file
 * descriptors, event descriptors, waiting for several of them. Start with {@link
 * io.aerostat.vmm.os.Descriptor}.
 *
 * <p>Knows Linux. Does not know guests, devices or what is said over a socket.
 */
@NullMarked
package io.aerostat.vmm.os;

import org.jspecify.annotations.NullMarked;
