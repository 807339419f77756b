package io.aerostat.bench.linux;

import io.aerostat.vmm.vhost.RingObserver;

import org.jspecify.annotations.Nullable;

import java.util.function.LongSupplier;

/**
 * Tells the device's time from the guest's. One request is in flight at a time, so that they take
 * turns:
 *
 * <pre>
 *   guest ──▶ kick ──device──▶ interrupt ──guest──▶ kick ──device──▶ interrupt ──▶ guest
 * </pre>
 *
 * <p>A kick counts from when the device has read it, an interrupt when it is written: what the host
 * needs to wake the device up is in the guest's part, and so are the messages that the driver sends
 * between two requests, which our thread answers.
 *
 * <p>Belongs to the guest's thread.
 */
final class RequestClock implements RingObserver {
    private static final int NO_RING = -1;

    private final LongSupplier nanoTime;

    private int ring = NO_RING;
    private @Nullable RequestTimes times;
    private boolean atDevice;
    private long requests;
    private long firstKickNs;
    private long lastKickNs;
    private long lastInterruptNs;
    private long busyNs;

    RequestClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Watches a ring from now on. */
    void start(int ring, RequestTimes times) {
        this.ring = ring;
        this.times = times;
        atDevice = false;
        requests = 0;
        busyNs = 0;
    }

    /**
     * Watches no longer.
     *
     * @param cpuNs that the device's thread ran for meanwhile
     */
    DeviceTime stop(long cpuNs) {
        ring = NO_RING;
        return new DeviceTime(requests == 0 ? 0 : lastInterruptNs - firstKickNs, busyNs, cpuNs);
    }

    @Override
    public void kicked(int ring) {
        RequestTimes into = times;
        if (ring != this.ring || atDevice || into == null) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (requests == 0) {
            firstKickNs = now;
        } else {
            into.guest().record(now - lastInterruptNs);
        }
        lastKickNs = now;
        atDevice = true;
    }

    @Override
    public void interrupted(int ring) {
        RequestTimes into = times;
        if (ring != this.ring || !atDevice || into == null) {
            return;
        }
        lastInterruptNs = nanoTime.getAsLong();
        long tookNs = lastInterruptNs - lastKickNs;
        into.device().record(tookNs);
        busyNs += tookNs;
        requests++;
        atDevice = false;
    }
}
