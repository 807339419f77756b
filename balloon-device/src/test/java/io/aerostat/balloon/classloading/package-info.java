/**
 * The device in an embedder's class loader: all of it loads from there, and all of it goes again,
 * since nothing outside holds on to it and nothing in it is kept from one loader to the next.
 *
 * <p>Start with {@link io.aerostat.balloon.classloading.UnloadTest}; {@link
 * io.aerostat.balloon.classloading.InflatingMachine} is what runs in there.
 */
@NullMarked
package io.aerostat.balloon.classloading;

import org.jspecify.annotations.NullMarked;
