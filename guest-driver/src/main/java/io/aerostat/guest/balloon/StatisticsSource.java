package io.aerostat.guest.balloon;

/** Where a guest's memory statistics come from. Called by the driver's thread. */
@FunctionalInterface
public interface StatisticsSource {
    /**
     * Puts the current value of every statistic that this source knows: at least one, and the same
     * ones each time (VIRTIO 1.4, 5.5.6.3.1). What a device has to wait for its answer, and the
     * driver for its next step, is this call: it should be short.
     *
     * @param into takes the values; not to be kept
     */
    void collect(StatisticsBuffer into);
}
