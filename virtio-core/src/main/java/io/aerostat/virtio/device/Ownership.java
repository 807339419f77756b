package io.aerostat.virtio.device;

/** Which thread owns a device: runs its queues and holds its state. */
public enum Ownership {
    /**
     * The thread that makes the guest's register accesses also calls {@link DeviceController#poll},
     * and no other does: a doorbell that another thread rings, with a host command, passes it on.
     * Reset and the like take effect at once.
     */
    REGISTER_THREAD,
    /**
     * A thread of its own calls {@link DeviceController#poll}. Reset and the like are handed to it,
     * and the register access returns when it has taken them over: it waits for the owner's
     * current, bounded pass, and for the host's commands that were there first. The owner must be
     * running, or have been declared stopped ({@link DeviceController#ownerStopped}).
     */
    OWN_THREAD
}
