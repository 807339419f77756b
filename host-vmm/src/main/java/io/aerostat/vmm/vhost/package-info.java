/**
 * Guests that live in another process, served over vhost-user: the front-end there (QEMU, User Mode
 * Linux) hands over the guest's RAM and rings as file descriptors, and the balloon device runs
 * here.
 *
 * <pre>
 *   VhostUserGuest     the socket, the connection, the thread                 one guest
 *     FrontEndSession  what the front-end says, and what is answered          one connection
 *       Vrings, Vring  which rings run, and what was said about each
 *       ConfigChanges  when it hears that the configuration has changed
 *     GuestBalloon     the device over all memory tables and drivers          one guest
 *       FrontEndMemory the RAM of one memory table
 * </pre>
 *
 * <p>Start with {@link io.aerostat.vmm.vhost.VhostUserGuest}. Knows the device and the protocol.
 * Does not know who asks for sizes, or how the front-end was started.
 */
@NullMarked
package io.aerostat.vmm.vhost;

import org.jspecify.annotations.NullMarked;
