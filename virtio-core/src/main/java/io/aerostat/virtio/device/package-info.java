/**
 * What every virtio device does alike: status, feature negotiation, queue set-up, reset,
 * configuration space, and who owns the work.
 *
 * <p>{@link io.aerostat.virtio.device.VirtioDevice} is what a kind of device brings; {@link
 * io.aerostat.virtio.device.DeviceController} runs it. A transport calls the controller from the
 * guest's side, the device's owner calls {@link io.aerostat.virtio.device.DeviceController#poll}.
 *
 * <p>Knows queues and guest RAM. Does not know register offsets, threads, or what any device's
 * buffers mean.
 */
@NullMarked
package io.aerostat.virtio.device;

import org.jspecify.annotations.NullMarked;
