/**
 * Virtio over MMIO, version 2 (VIRTIO 1.4, 4.2), both sides.
 *
 * <p>{@link io.aerostat.virtio.transport.mmio.MmioDevice} is the register window that an emulator
 * maps; {@link io.aerostat.virtio.transport.mmio.MmioTransport} is how a driver speaks to such a
 * window. They meet at {@link io.aerostat.virtio.transport.mmio.RegisterWindow}.
 *
 * <p>Knows register offsets. Does not know what a device does, what a driver wants, or how an
 * interrupt reaches a processor.
 */
@NullMarked
package io.aerostat.virtio.transport.mmio;

import org.jspecify.annotations.NullMarked;
