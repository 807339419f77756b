/**
 * Page frames: what each is used for, in what order they were used, what their bytes should be, and
 * where they go when they are swapped out.
 *
 * <p>Knows the page allocator and guest RAM. Does not know processes, files, faults, or when a page
 * should go: that is {@code io.aerostat.guest.mm}.
 *
 * <p>Start with {@link io.aerostat.guest.mm.frame.FrameTable}.
 *
 * <p>One thread's: the guest's. Only the counters may be read from others.
 */
@NullMarked
package io.aerostat.guest.mm.frame;

import org.jspecify.annotations.NullMarked;
