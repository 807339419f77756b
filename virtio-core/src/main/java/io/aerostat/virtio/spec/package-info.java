/**
 * The facts of the virtio standard (VIRTIO 1.4, Committee Specification 01) that both sides share:
 * status bits, feature bits, ring layouts and MMIO registers. A transcription: names, numbers and
 * the validity rules that the standard states about them, nothing that acts.
 *
 * <p>Knows no memory, queue or device. Start with {@link io.aerostat.virtio.spec.DescriptorLayout},
 * then the two rings; {@link io.aerostat.virtio.spec.Feature} and {@link
 * io.aerostat.virtio.spec.DeviceStatus} hold the negotiation.
 */
@NullMarked
package io.aerostat.virtio.spec;

import org.jspecify.annotations.NullMarked;
