package io.aerostat.virtio.device;

/**
 * Tells an owner that there is work. Rings coalesce: however often it rang, one look at all the
 * work answers them. Called from any thread, from inside a pass too; never blocks, and does no work
 * itself: it has the owner call {@link DeviceController#poll}.
 */
@FunctionalInterface
public interface Doorbell {
    /** There is work. */
    void ring();
}
