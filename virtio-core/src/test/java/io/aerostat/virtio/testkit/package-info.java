/**
 * The test kit: guest RAM of every kind, rings written and read as literal bytes, hostile rings,
 * and replayable seeds. For the tests of every module.
 *
 * <p>Offsets in here are literal numbers of the standard (VIRTIO 1.4, 2.7), on purpose: what reads
 * a ring with the layout classes under test proves nothing about them. Start with {@link
 * io.aerostat.virtio.testkit.GuestRam}, then {@link io.aerostat.virtio.testkit.RingBytes}.
 */
package io.aerostat.virtio.testkit;
