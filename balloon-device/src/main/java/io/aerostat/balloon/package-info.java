/**
 * The traditional memory balloon (VIRTIO 1.4, 5.5), the device's side: the part that an emulator or
 * a VMM embeds.
 *
 * <p>Start with {@link io.aerostat.balloon.BalloonDevice}. It is the host's surface; {@code
 * BalloonQueues} wires the packages {@code handler} (what the queues mean) and {@code range} (page
 * numbers, ranges, the ledger, the seam to the host's memory); {@code reclaim} has what stands
 * behind that seam in Java alone. What a guest says is held against what the device knows by the
 * classes named Check.
 *
 * <p>Knows what the host's side of a balloon does. Does not know how memory is given back, who the
 * driver is, or which thread it runs on.
 */
@NullMarked
package io.aerostat.balloon;

import org.jspecify.annotations.NullMarked;
