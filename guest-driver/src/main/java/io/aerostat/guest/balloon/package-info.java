/**
 * The guest's balloon driver (VIRTIO 1.4, 5.5), as a state machine that its owner steps.
 *
 * <p>Start with {@link io.aerostat.guest.balloon.BalloonDriver}. It takes pages from the page
 * allocator, hands their numbers to the device, and gives them back when the device has confirmed
 * that it may.
 *
 * <p>Knows queues, the transport and the page allocator. Does not know the device's classes, the
 * host, or any thread but the one that steps it.
 */
@NullMarked
package io.aerostat.guest.balloon;

import org.jspecify.annotations.NullMarked;
