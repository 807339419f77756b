/**
 * The split virtqueue (VIRTIO 1.4, 2.7), both sides, on guest RAM.
 *
 * <p>Start with {@link io.aerostat.virtio.queue.DeviceQueue} (takes buffers, returns them) and
 * {@link io.aerostat.virtio.queue.DriverQueue} (offers buffers, gets them back). {@link
 * io.aerostat.virtio.queue.ChainCursor} walks the elements of one buffer and checks each. The
 * flyweights {@code DescriptorTable}, {@code AvailableRing} and {@code UsedRing} know the layout,
 * {@code RingFences} the order, and nothing else does.
 *
 * <p>One thread owns each side of a queue. Its indices are private fields, never read back from
 * guest RAM. What the peer may write is read once into a local, checked, and then used.
 *
 * <h2>Memory ordering</h2>
 *
 * <table>
 * <caption>Every shared field of a split ring</caption>
 * <tr><th>field</th><th>writer</th><th>store</th><th>reader</th><th>load</th><th>so that</th></tr>
 * <tr><td>descriptor, avail.ring[i]</td><td>driver</td><td>plain</td><td>device</td><td>plain</td><td>published by avail.idx</td></tr>
 * <tr><td>avail.idx</td><td>driver</td><td>release</td><td>device</td><td>acquire</td><td>all of the chain is visible before it</td></tr>
 * <tr><td>used.ring[i]</td><td>device</td><td>plain</td><td>driver</td><td>plain</td><td>published by used.idx</td></tr>
 * <tr><td>used.idx</td><td>device</td><td>release</td><td>driver</td><td>acquire</td><td>what the device did is done, the length is set</td></tr>
 * <tr><td>avail_event, used.flags</td><td>device</td><td>opaque, full fence, then avail.idx again</td><td>driver</td><td>after its avail.idx: full fence, opaque</td>
 *     <td>no kick is lost</td></tr>
 * <tr><td>used_event, avail.flags</td><td>driver</td><td>opaque, full fence, then used.idx again</td><td>device</td><td>after its used.idx: full fence, opaque</td>
 *     <td>no interrupt is lost</td></tr>
 * </table>
 *
 * <p>Accesses are plain and the order comes from fences, because guest RAM may be a raw address, a
 * buffer or an array, and only fences work on all of them. An index is one aligned 16-bit access. A
 * name that ends in {@code Opaque} says that the access stands by itself between fences.
 *
 * <p>Does not know what a buffer means, who is notified or how, or which thread it runs on.
 */
@NullMarked
package io.aerostat.virtio.queue;

import org.jspecify.annotations.NullMarked;
