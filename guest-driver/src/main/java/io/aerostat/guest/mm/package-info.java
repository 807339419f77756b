/**
 * The guest's memory under pressure: processes' pages, a page cache, swapping, reclaim, and the
 * killing of processes when all that was not enough. On real guest RAM: every page it says it has
 * is a frame of the page allocator with bytes in it.
 *
 * <p>Knows the page allocator, page frames and guest RAM. Does not know tasks, the clock, or the
 * balloon's driver: the balloon is somebody who takes pages ({@link
 * io.aerostat.guest.mm.MemoryNode#balloonPages}), may give some back rather than see a process
 * killed ({@link io.aerostat.guest.mm.OutOfMemoryRelief}), and can move its pages ({@link
 * io.aerostat.guest.mm.PageMover}).
 *
 * <p>Start with {@link io.aerostat.guest.mm.MemoryNode}. A page's way in is in {@code
 * PageAllocation}, its way out in {@code Reclaim}.
 *
 * <p>One thread's: the guest's.
 */
@NullMarked
package io.aerostat.guest.mm;

import org.jspecify.annotations.NullMarked;
