package io.aerostat.virtio.device;

/** What a broken ring takes down with it. */
public enum FaultScope {
    /**
     * The whole device: DEVICE_NEEDS_RESET, and no queue is served until its driver resets it
     * (VIRTIO 1.4, 2.1.2).
     */
    DEVICE,
    /**
     * That queue alone, for a transport over which a device cannot ask for its reset (vhost-user):
     * the others are served as before.
     */
    QUEUE
}
