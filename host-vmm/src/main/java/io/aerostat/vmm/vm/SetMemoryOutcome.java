package io.aerostat.vmm.vm;

/** How {@link BalloonControl#setMemory} ended. */
public sealed interface SetMemoryOutcome {
    /** Why a guest did not get, or did not get all the way, to a size; and what to do about it. */
    enum Reason {
        /** The virtual machine has no balloon device. */
        NO_DEVICE(
                "the virtual machine has no balloon device",
                "start it with one: memballoon model 'virtio'"),
        /** No guest is there. */
        NO_GUEST("no guest is connected", "start the guest; the target stands until then"),
        /** The size is below the floor. */
        BELOW_FLOOR("the size is below the floor", "ask for more, or start it with a lower floor"),
        /** No driver has brought the device up. */
        NO_DRIVER(
                "the guest has no balloon driver running",
                "load virtio_balloon in the guest; the target stands until then"),
        /** The device waits for its driver to reset it. */
        NEEDS_RESET(
                "the balloon device is broken and waits for the guest's driver to reset it",
                "reload virtio_balloon in the guest; the host's log says what it did"),
        /** The driver is up, but sent no request, or no more, before the deadline. */
        NO_RESPONSE(
                "the guest's balloon driver stood still until the deadline",
                "look whether the guest hangs, or wait: the target stands"),
        /** The guest's own figures, or its silence after some pages, say that it has no more. */
        OUT_OF_PAGES(
                "the guest gave no more pages before the deadline",
                "ask for less, or free memory in the guest; it goes on trying"),
        /** Pages move still. */
        STILL_MOVING(
                "the guest was still moving pages at the deadline",
                "wait: the target stands; or give it a longer deadline"),
        /** The host's own limit on speed did not allow more. */
        RATE_LIMITED(
                "the rate limit did not let more move before the deadline",
                "wait: the target still rises; or raise the limit"),
        /** The guest took pages back for want of memory (DEFLATE_ON_OOM). */
        TAKEN_BACK(
                "the guest took pages back because it ran out of memory",
                "ask for less; it is left alone for a while, then asked again"),
        /** The virtual machine was closed. */
        CLOSED("the virtual machine was closed", "start it again");

        private final String description;
        private final String advice;

        Reason(String description, String advice) {
            this.description = description;
            this.advice = advice;
        }

        /** What it means, for a message. */
        public String description() {
            return description;
        }

        /** What whoever asked may do. */
        public String advice() {
            return advice;
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
