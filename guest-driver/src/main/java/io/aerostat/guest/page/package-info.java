/**
 * The guest's page allocator: which page frames of the guest's RAM are in use and which are free.
 *
 * <p>This package knows page frame numbers, blocks of 2<sup>order</sup> page frames, and how free
 * blocks split and merge. It does not know who asks for pages (a balloon driver, a workload), what
 * a page contains, where guest RAM is mapped, or that there is a host. It touches no guest memory:
 * all its bookkeeping is on the Java heap.
 *
 * <p>Start with {@link io.aerostat.guest.page.PageAllocator}, the contract, and {@link
 * io.aerostat.guest.page.ReportablePages}, which adds marks for free blocks that were reported;
 * then {@link io.aerostat.guest.page.BuddyAllocator}, the algorithm, which stands on the sets of
 * block numbers in {@code BlockSet}.
 *
 * <p>Nothing here is thread-safe: an allocator belongs to the guest's thread.
 */
@NullMarked
package io.aerostat.guest.page;

import org.jspecify.annotations.NullMarked;
