package io.aerostat.guest.balloon;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.StatEntryLayout;

import org.jspecify.annotations.Nullable;

/**
 * The statistics queue (VIRTIO 1.4, 5.5.6.3): one buffer, which the device keeps until it wants
 * newer values.
 *
 * <pre>
 *   expose() ─▶ DRIVER_OK ─▶ announce() ─▶ ... the device returns it ... ─▶ serve(): filled, exposed again
 * </pre>
 */
final class StatisticsQueue {
    /** Bytes of guest RAM for the buffer. */
    static final int BUFFER_BYTES = StatisticsBuffer.MAX_ENTRIES * StatEntryLayout.LENGTH;

    private final BalloonRing ring;
    private final RamAccess buffer;
    private final StatisticsBuffer statistics;
    private final StatisticsSource source;
    private final DriverCounters counters;

    /**
     * @param buffer {@link #BUFFER_BYTES} of guest RAM
     */
    StatisticsQueue(BalloonRing ring, RamAccess buffer, DriverBooks books) {
        this.ring = ring;
        this.buffer = buffer;
        this.statistics = books.statistics();
        this.source = books.source();
        this.counters = books.counters();
    }

    /** Shows the device its first buffer, without a kick: DRIVER_OK is still off. */
    void expose() {
        add();
        ring.queue().publish();
    }

    /** Kicks for the first buffer, once DRIVER_OK is on. */
    void announce() {
        ring.kick();
    }

    /**
     * Answers a request of the device. One a step: a device that asks again at once, for ever, does
     * not keep the driver from its other work.
     *
     * @return whether there was one; if not, there will be an interrupt for the next
     */
    boolean serve() {
        DriverQueue queue = ring.queue();
        // The second look is at what came before the interrupt was armed.
        boolean isBack = queue.poll() >= 0 || (queue.armAndRecheck() && queue.poll() >= 0);
        if (!isBack) {
            return false;
        }
        add();
        ring.publish();
        return true;
    }

    private void add() {
        statistics.collectFrom(source);
        ring.queue().add(buffer.gpa(), statistics.write(buffer), false);
        counters.add(DriverCounter.STATISTICS_SENT, 1);
    }

    @Nullable QueueFault fault() {
        return ring.queue().fault();
    }
}
