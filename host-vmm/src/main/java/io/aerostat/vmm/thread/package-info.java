/**
 * Threads that own something: an Agrona agent each, asleep until its doorbell rings.
 *
 * <p>Knows agents and parking. Does not know what they do.
 */
@NullMarked
package io.aerostat.vmm.thread;

import org.jspecify.annotations.NullMarked;
