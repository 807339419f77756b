/**
 * What the traditional memory balloon (VIRTIO 1.4, 5.5) asks both sides to agree on: feature bits,
 * configuration offsets, queue numbers, the page unit.
 *
 * <p>The device and the driver share nothing but these constants and guest RAM; nothing else in
 * this module may import the package. The one rule in it, {@link
 * io.aerostat.virtio.spec.balloon.QueueNumbering}, is here because both sides must count alike.
 */
@NullMarked
package io.aerostat.virtio.spec.balloon;

import org.jspecify.annotations.NullMarked;
