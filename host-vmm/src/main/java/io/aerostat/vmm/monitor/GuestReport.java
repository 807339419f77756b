package io.aerostat.vmm.monitor;

import io.aerostat.vmm.vm.GuestSize;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * All that the host knows about a guest at one moment.
 *
 * @param state how far it has come
 * @param maximum its RAM, or empty while that is not known
 * @param current its RAM without the balloon by the driver's word, or empty while RAM is not known
 * @param target the size that was asked for last, or empty if none was
 * @param ballooned bytes in the balloon by the device's own ledger
 * @param resident bytes of its RAM that the host has to provide now, or empty if not known
 * @param offered names of the features that the device offers: must-tell-host, stats-vq,
 *     deflate-on-oom, free-page-hint, page-poison, free-page-reporting
 * @param features names of those in force; none while no driver is up
 * @param counters what the device has counted, by name, in a fixed order
 * @param discardCalls system calls made to give memory back
 */
public record GuestReport(
        State state,
        Optional<GuestSize> maximum,
        Optional<GuestSize> current,
        Optional<GuestSize> target,
        long ballooned,
        OptionalLong resident,
        List<String> offered,
        List<String> features,
        Map<String, Long> counters,
        long discardCalls) {
    /** The balloon takes pages back when its guest is short of memory. */
    public static final String DEFLATE_ON_OOM = "deflate-on-oom";

    /** The guest reports its free pages. */
    public static final String FREE_PAGE_REPORTING = "free-page-reporting";

    /** How far a guest has come. */
    public enum State {
        /** Nobody has connected to its socket. */
        WAITING("no guest is connected"),
        /** A front-end is there; the guest's balloon driver is not up. */
        CONNECTED("connected, no balloon driver"),
        /** The guest's balloon driver is up. */
        RUNNING("running"),
        /** The driver broke a ring. */
        BROKEN("the driver broke a ring");

        private final String description;

        State(String description) {
            this.description = description;
        }

        /** What it means, for a message. */
        public String description() {
            return description;
        }
    }
}
