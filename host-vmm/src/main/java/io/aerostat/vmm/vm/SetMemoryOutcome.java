package io.aerostat.vmm.vm;

/** How {@link VirtualMachine#setMemory} ended. */
public sealed interface SetMemoryOutcome {
    /** Why a guest did not get, or did not get all the way, to a size. */
    enum Reason {
        /** The virtual machine has no balloon device. */
        NO_DEVICE(
                "the virtual machine has no balloon device (start it with one: memballoon model"
                        + " 'virtio')"),
        /** The size is below the floor. */
        BELOW_FLOOR("the size is below the floor"),
        /** No driver has brought the device up. */
        NO_DRIVER("the guest has no balloon driver running"),
        /** The device waits for its driver to reset it. */
        NEEDS_RESET("the balloon device is broken and waits for the guest's driver to reset it"),
        /** The driver is up, but nothing moved before the deadline. */
        NO_RESPONSE("the guest's balloon driver did not move a page before the deadline"),
        /**
         * Pages moved, but not enough of them before the deadline: the guest has no more to give,
         * or is slow.
         */
        OUT_OF_PAGES("the guest gave no more pages before the deadline"),
        /** The virtual machine was closed. */
        CLOSED("the virtual machine was closed");

        private final String description;

        Reason(String description) {
            this.description = description;
        }

        /** What it means, for a message. */
        public String description() {
            return description;
        }
    }

    /**
     * The guest has the size.
     *
     * @param balloon what is in the balloon for it
     */
    record Reached(BalloonSize balloon) implements SetMemoryOutcome {}

    /**
     * Some pages moved, not all.
     *
     * @param balloon what is in the balloon
     * @param movedBytes how much moved, in either direction
     * @param reason why no more
     */
    record Partial(BalloonSize balloon, long movedBytes, Reason reason)
            implements SetMemoryOutcome {}

    /**
     * Nothing moved.
     *
     * @param reason why not
     */
    record Stalled(Reason reason) implements SetMemoryOutcome {}

    /** A later call asked for another size. */
    record Superseded() implements SetMemoryOutcome {}

    /**
     * The guest was not asked.
     *
     * @param reason why not
     */
    record Refused(Reason reason) implements SetMemoryOutcome {}
}
