package io.aerostat.guest.model;

import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.workload.PressureOptions;

/**
 * How a {@link GuestModel} is made.
 *
 * @param memory what it has besides RAM, and how that is managed
 * @param driver how its balloon driver works
 * @param processes what its processes do
 * @param seed of all that is drawn by chance
 */
public record GuestOptions(
        MemoryOptions memory, BalloonDriverOptions driver, PressureOptions processes, long seed) {}
