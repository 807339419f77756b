/**
 * The operating system's calls that a host of guests needs besides memory: sockets that carry file
 * descriptors, event descriptors, waiting for several of them.
 *
 * <p>Start with {@link io.aerostat.vmm.os.Descriptor}, which everything here takes and gives;
 * {@link io.aerostat.vmm.os.UnixSockets} and {@link io.aerostat.vmm.os.EventDescriptors} are what
 * descriptors stand for, {@link io.aerostat.vmm.os.DescriptorPoll} waits for them. Calls that fail
 * throw {@link io.aerostat.memory.os.OsException}.
 *
 * <p>Knows Linux. Does not know guests, devices or what is said over a socket.
 */
@NullMarked
package io.aerostat.vmm.os;

import org.jspecify.annotations.NullMarked;
