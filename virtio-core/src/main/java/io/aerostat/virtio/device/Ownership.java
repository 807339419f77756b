package io.aerostat.virtio.device;

/**
 * Which thread owns a device: runs its queues and holds its state. And when it does.
 *
 * <pre>
 *                      a kick does the work     poll is called                          by
 *   NOTIFY_DRIVEN      yes, one bounded piece   after the doorbell, and now and then    the register thread
 *   REGISTER_THREAD    no                       in each step of the host                the register thread
 *   OWN_THREAD         no                       after the doorbell, and now and then    a thread of its own
 * </pre>
 */
public enum Ownership {
    /**
     * The thread that makes the guest's register accesses works inside them: a write that gives the
     * device something to do does one bounded piece of it before it returns. For hosts without a
     * step in which they would poll. What is more than one piece, what the driver writes to its
     * configuration, and what the host commands, ring the doorbell: have {@link
     * DeviceController#poll} called, by the same thread. No time goes by in a kick: what happens
     * there is dated with the last poll.
     */
    NOTIFY_DRIVEN,
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
