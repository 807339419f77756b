/**
 * Examples of embedding: three tiny machines as Java emulators have them, a balloon's adapter for
 * each, and the tests that run them. {@code docs/embedding.md} shows the adapters as they are here.
 *
 * <pre>
 *   guest      a driver with Linux's habits   ──▶ bus ──▶  machine   what emulators have in common
 *                                                          flat, paged, stepped   one host and its adapter each
 * </pre>
 *
 * <p>Start with {@link io.aerostat.balloon.embedding.Example}: a host, its balloon and its guest.
 */
@NullMarked
package io.aerostat.balloon.embedding;

import org.jspecify.annotations.NullMarked;
