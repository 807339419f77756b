/**
 * A real Linux, whose own balloon driver works with our device over vhost-user: what it says of its
 * memory, what the host's kernel says, and what we count must be the same.
 *
 * <p>Start with {@link io.aerostat.vmm.realguest.ServedGuests}, which boots the guests of a test
 * class, adds their consoles and counters to a failure, and sees that nothing is left of them.
 */
@NullMarked
package io.aerostat.vmm.realguest;

import org.jspecify.annotations.NullMarked;
