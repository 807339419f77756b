package io.aerostat.memory.own;

import io.aerostat.virtio.transport.mmio.MmioDevice;

import org.jspecify.annotations.Nullable;

/** A thread that owns a device and polls all the time, whether the doorbell rings or not. */
final class RestlessOwner implements AutoCloseable {
    private static final long STEP_NS = 1_000_000;

    private final MmioDevice device;
    private final Thread thread;
    private volatile boolean stopping;
    private volatile @Nullable Throwable failure;

    RestlessOwner(MmioDevice device) {
        this.device = device;
        this.thread = new Thread(this::run, "restless owner");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            for (long nowNs = 0; !stopping; nowNs += STEP_NS) {
                device.poll(nowNs);
            }
        } catch (Throwable e) {
            failure = e;
        } finally {
            device.controller().ownerStopped();
        }
    }

    /** Ends the thread and says if it failed. */
    @Override
    public void close() {
        stopping = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (failure != null) {
            throw new AssertionError("the owner failed", failure);
        }
    }
}
