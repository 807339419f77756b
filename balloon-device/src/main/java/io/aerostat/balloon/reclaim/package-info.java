/**
 * Ways to give pages back that need nothing but Java: letting go of pages of arrays, and none at
 * all. Native ones are in the module {@code host-memory}.
 *
 * <p>Knows guest RAM and {@link io.aerostat.balloon.range.PageReclaimer}; does not know the balloon
 * that calls.
 */
@NullMarked
package io.aerostat.balloon.reclaim;

import org.jspecify.annotations.NullMarked;
