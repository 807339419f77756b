package io.aerostat.guest.balloon;

import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.queue.DriverQueue;

/** A queue of the balloon, and the way to kick it. */
final class BalloonRing {
    private final DriverTransport transport;
    private final int index;
    private final DriverQueue queue;

    /**
     * @param index the queue's number at the device
     */
    BalloonRing(DriverTransport transport, int index, DriverQueue queue) {
        this.transport = transport;
        this.index = index;
        this.queue = queue;
    }

    DriverQueue queue() {
        return queue;
    }

    /** Shows the added buffers to the device, and kicks it if it wants that. */
    void publish() {
        if (queue.publish()) {
            kick();
        }
    }

    /** Kicks the device, whether it wants that or not. */
    void kick() {
        transport.kick(index);
    }
}
