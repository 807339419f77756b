/**
 * Host (a): flat RAM in one direct buffer, memory-mapped devices with an offset and the logarithm
 * of a size, an interrupt line, and a processor loop that can be woken up. Most RISC-V emulators in
 * Java look like this.
 *
 * <p>{@link io.aerostat.balloon.embedding.flat.FlatBalloon} is the adapter; all else is the
 * emulator's and knows nothing of balloons.
 */
@NullMarked
package io.aerostat.balloon.embedding.flat;

import org.jspecify.annotations.NullMarked;
