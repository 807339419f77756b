/**
 * The guest: a balloon driver with the habits of Linux, written from the standard (VIRTIO 1.4, 2.7,
 * 4.2, 5.5) for the example machines. It works by loads and stores of the bus alone, and keeps what
 * it knows in the machine's RAM, so that whoever copies the RAM has copied the guest.
 *
 * <p>Knows the bus. Does not know the product, which it must not believe in the same mistakes with:
 * its offsets are numbers of its own. Start with {@link
 * io.aerostat.balloon.embedding.guest.BalloonProgram}.
 */
@NullMarked
package io.aerostat.balloon.embedding.guest;

import org.jspecify.annotations.NullMarked;
