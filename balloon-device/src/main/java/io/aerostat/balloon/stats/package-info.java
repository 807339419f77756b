/**
 * What a guest says about its memory (VIRTIO 1.4, 5.5.6.3), and what of it cannot be true.
 *
 * <p>{@link io.aerostat.balloon.stats.GuestStatistics} is one answer of the guest; an absent figure
 * is absent and never 0.
 *
 * <p>Knows the statistics' tags. Does not know queues, nor how figures are asked for.
 */
@NullMarked
package io.aerostat.balloon.stats;

import org.jspecify.annotations.NullMarked;
