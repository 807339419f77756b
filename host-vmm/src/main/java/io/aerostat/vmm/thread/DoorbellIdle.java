package io.aerostat.vmm.thread;

import io.aerostat.virtio.device.Doorbell;

import org.agrona.concurrent.IdleStrategy;
import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/**
 * How an owner thread waits: a short spin, then parked until its doorbell rings or the longest
 * pause is over.
 *
 * <p>No ring is lost. A ring stores {@code rung} and then reads {@code sleeper}; the thread stores
 * {@code sleeper} and then reads {@code rung}: volatile accesses keep both orders, so at least one
 * of them sees the other. An agent looks at its work after the ring was taken, and so sees what
 * came before it.
 */
public final class DoorbellIdle implements IdleStrategy, Doorbell {
    /**
     * About as long as the other side of a queue takes to answer; longer only heats the processor
     * that it may need.
     */
    private static final int SPINS = 200;

    private final long longestPauseNs;

    private volatile boolean rung;
    private volatile @Nullable Thread sleeper;

    /** Wakes by itself after {@code longestPauseNs}, so that agents can keep deadlines. */
    public DoorbellIdle(long longestPauseNs) {
        this.longestPauseNs = longestPauseNs;
    }

    @Override
    public void ring() {
        rung = true;
        Thread thread = sleeper;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void idle(int workCount) {
        if (workCount <= 0) {
            idle();
        }
    }

    @Override
    public void idle() {
        for (int i = 0; i < SPINS && !rung; i++) {
            Thread.onSpinWait();
        }
        if (!rung) {
            sleeper = Thread.currentThread();
            if (!rung) {
                LockSupport.parkNanos(this, longestPauseNs);
            }
            sleeper = null;
        }
        rung = false;
    }

    @Override
    public void reset() {}

    @Override
    public String alias() {
        return "doorbell";
    }
}
