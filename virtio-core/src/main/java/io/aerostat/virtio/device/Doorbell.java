package io.aerostat.virtio.device;

/**
 * Tells an owner that there is work. Rings coalesce: however often it rang, one look at all the
 * work answers them. Called from any thread; never blocks.
 */
@FunctionalInterface
public interface Doorbell {
    /** There is work. */
    void ring();
}
