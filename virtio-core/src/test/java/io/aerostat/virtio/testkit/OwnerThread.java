package io.aerostat.virtio.testkit;

import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Doorbell;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that owns a device: polls while there is work, parks until the doorbell rings. A ring
 * that gets lost is a thread that never wakes up.
 */
public final class OwnerThread implements Doorbell, AutoCloseable {
    private final AtomicBoolean rung = new AtomicBoolean();
    private volatile boolean stopping;
    private volatile Throwable failure;
    private final AtomicLong polls = new AtomicLong();
    private Thread thread;
    private DeviceController controller;

    public void start(DeviceController controller) {
        this.controller = controller;
        thread = new Thread(this::run, "owner");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            while (!stopping) {
                int work = controller.poll(0);
                polls.incrementAndGet();
                if (work == 0 && !rung.getAndSet(false)) {
                    LockSupport.park(this);
                }
            }
        } catch (Throwable e) {
            failure = e;
        } finally {
            controller.ownerStopped();
        }
    }

    @Override
    public void ring() {
        rung.set(true);
        LockSupport.unpark(thread);
    }

    /** Returns when the owner has polled {@code times} times more. */
    public void awaitPolls(int times) {
        long goal = polls.get() + times;
        Spin.until(
                () -> {
                    ring();
                    return polls.get() >= goal || failure != null;
                });
    }

    /** Ends the thread and says if it failed. */
    @Override
    public void close() {
        stopping = true;
        ring();
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
