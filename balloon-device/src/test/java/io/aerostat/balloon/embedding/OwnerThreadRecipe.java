package io.aerostat.balloon.embedding;

import io.aerostat.virtio.device.Doorbell;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** A thread that owns a device: for hosts whose processor shall not wait while pages are freed. */
public final class OwnerThreadRecipe implements Doorbell, Runnable {
    /** Statistics and slow targets go by the clock, which has no bell. */
    private static final long NAP_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private final AtomicBoolean rung = new AtomicBoolean();
    private final Thread thread = new Thread(this, "balloon");
    private volatile boolean stopping;
    private MmioDevice device;

    /** Starts; the device was made with {@code Ownership.OWN_THREAD} and this doorbell. */
    public void start(MmioDevice device) {
        this.device = device;
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void run() {
        while (!stopping) {
            rung.set(false);
            if (device.poll(System.nanoTime()) == 0 && !rung.get()) {
                LockSupport.parkNanos(this, NAP_NS);
            }
        }
        device.controller().ownerStopped();
    }

    @Override
    public void ring() {
        rung.set(true);
        LockSupport.unpark(thread);
    }

    /** Ends the thread; the device goes on on the register thread, see {@code ownerStopped}. */
    public void stop() throws InterruptedException {
        stopping = true;
        ring();
        thread.join();
    }
}
