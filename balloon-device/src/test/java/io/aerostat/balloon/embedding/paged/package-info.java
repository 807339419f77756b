/**
 * Host (b): RAM in pages of {@code byte[]} that are made when they are first written, devices that
 * are told absolute addresses and bits, and frames: after each, every device has its turn. Most
 * emulators of consoles and small computers look like this.
 *
 * <p>{@link io.aerostat.balloon.embedding.paged.PagedBalloon} is the adapter; all else is the
 * emulator's and knows nothing of balloons.
 */
@NullMarked
package io.aerostat.balloon.embedding.paged;

import org.jspecify.annotations.NullMarked;
