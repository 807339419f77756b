package io.aerostat.vmm.vm;

import io.aerostat.balloon.stats.GuestStatistics;

/** How {@link BalloonControl#statistics} ended. */
public sealed interface StatisticsOutcome {
    /**
     * The guest has answered.
     *
     * @param figures its word
     */
    record Answered(GuestStatistics figures) implements StatisticsOutcome {}

    /**
     * It has not.
     *
     * @param reason why not
     */
    record Unanswered(Reason reason) implements StatisticsOutcome {}

    /** Why there are no new figures. */
    enum Reason {
        /** The virtual machine has no balloon device. */
        NO_DEVICE("the virtual machine has no balloon device"),
        /** No guest is there, or it has gone. */
        NO_GUEST("no guest is connected"),
        /** No driver has brought the device up. */
        NO_DRIVER("the guest has no balloon driver running"),
        /** Device or driver do without the statistics queue. */
        NOT_NEGOTIATED("the guest's driver does not supply statistics"),
        /** The deadline has passed. */
        NO_RESPONSE("the guest did not answer before the deadline"),
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
}
