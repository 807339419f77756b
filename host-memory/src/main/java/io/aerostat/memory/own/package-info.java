/**
 * Gives pages back of guest RAM that an embedder has allocated itself: direct and mapped buffers,
 * and memory at raw addresses.
 *
 * <p>Start with {@link io.aerostat.memory.own.AdviceReclaimer}. It asks the kernel what each region
 * of the guest's memory is made of, advises accordingly, and says in a {@link
 * io.aerostat.memory.own.RegionReport} for each region what can never be given back, why ({@link
 * io.aerostat.memory.own.Obstacle}) and what to do instead. Who has a choice lets {@link
 * io.aerostat.memory.backend} allocate the RAM.
 *
 * <pre>
 *   GuestMemory ── regions ──▶ addresses ──▶ /proc/self/smaps ──▶ spans, each with its advice
 * </pre>
 *
 * <p>Knows addresses and the kernel's words on them. Does not know who owns the memory, and never
 * maps, unmaps or keeps any.
 */
@NullMarked
package io.aerostat.memory.own;

import org.jspecify.annotations.NullMarked;
