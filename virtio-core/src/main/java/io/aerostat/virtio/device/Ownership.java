package io.aerostat.virtio.device;

/** Which thread owns a device: runs its queues and holds its state. */
public enum Ownership {
    /**
     * The thread that makes the guest's register accesses also calls {@link DeviceController#poll}.
     * Reset and the like take effect at once.
     */
    REGISTER_THREAD,
    /**
     * A thread of its own calls {@link DeviceController#poll}. Reset and the like are handed to it,
     * and the register access returns when it has taken them over: it waits for the owner's
     * current, bounded pass and for nothing else.
     */
    OWN_THREAD
}
