/**
 * What a guest does with its memory: takes pages, writes them, checks them, gives them back.
 *
 * <p>Knows the page allocator, guest RAM, the memory manager and tasks. Does not know that there is
 * a balloon: pages that are missing are just not there.
 *
 * <p>{@link io.aerostat.guest.workload.PageWorkload} is the plain one, straight on the allocator;
 * {@link io.aerostat.guest.workload.PressureWorkload} is a guest full of processes.
 */
@NullMarked
package io.aerostat.guest.workload;

import org.jspecify.annotations.NullMarked;
