package io.aerostat.virtio.device;

/**
 * Tells an owner that there is work. Rings coalesce: however often it rang, one look at all the
 * work answers them. Called from any thread; never blocks.
 *
 * <p>It may ring from inside a pass or a register access, where {@link DeviceController#poll} does
 * nothing: have poll called a little later, by the owner and not from here, and again while it does
 * not answer 0.
 */
@FunctionalInterface
public interface Doorbell {
    /** There is work. */
    void ring();
}
