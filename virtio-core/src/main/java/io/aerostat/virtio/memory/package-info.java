/**
 * Guest RAM: a table of regions, and the one class that touches their bytes.
 *
 * <p>{@link io.aerostat.virtio.memory.GuestMemory} says what is RAM; {@link
 * io.aerostat.virtio.memory.RamAccess} validates a guest address range against it once and then
 * reads and writes. Nothing else in the project reads or writes guest memory, so its safety is
 * reviewed in that one file. RAM that has no address and no buffer it reaches through a {@link
 * io.aerostat.virtio.memory.RamAccessor}: an embedder's own, or {@link
 * io.aerostat.virtio.memory.PagedArray} for pages of byte arrays.
 *
 * <p>RAM is attached to places of the table and detached from them while devices run; a {@link
 * io.aerostat.virtio.memory.RamRegion} alone knows where its bytes are.
 *
 * <p>Knows no queue, device or file; does not order accesses (the queue package does) and does not
 * own memory.
 */
@NullMarked
package io.aerostat.virtio.memory;

import org.jspecify.annotations.NullMarked;
