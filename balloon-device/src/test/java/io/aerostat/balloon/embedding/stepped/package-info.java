/**
 * Host (c): RAM in one array, a 32-bit bus to its devices, a virtual clock on which they are
 * stepped, and states that are saved and loaded. Emulators that must be deterministic look like
 * this.
 *
 * <p>{@link io.aerostat.balloon.embedding.stepped.SteppedBalloon} is the adapter; all else is the
 * emulator's and knows nothing of balloons.
 */
@NullMarked
package io.aerostat.balloon.embedding.stepped;

import org.jspecify.annotations.NullMarked;
