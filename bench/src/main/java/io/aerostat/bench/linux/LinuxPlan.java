package io.aerostat.bench.linux;

import java.util.List;

/**
 * What is measured, and how often.
 *
 * @param guests one after the other
 * @param singleRequests how often one request alone is sent, each way
 */
record LinuxPlan(List<Workload> guests, int singleRequests) {
    private static final long SMALL_BYTES = 128L << 20;
    private static final long LARGE_BYTES = 1L << 30;

    private static final LinuxPlan FULL =
            new LinuxPlan(
                    List.of(new Workload(SMALL_BYTES, 30, 30), new Workload(LARGE_BYTES, 3, 15)),
                    1000);

    /** The compiler gets to see thousands of requests before any counts, all the same. */
    private static final LinuxPlan QUICK =
            new LinuxPlan(
                    List.of(new Workload(SMALL_BYTES, 20, 7), new Workload(LARGE_BYTES, 1, 3)),
                    200);

    /**
     * Rounds of one guest. Each round inflates it twice, dirty and clean, and deflates it twice.
     *
     * @param guestBytes its RAM
     * @param warmUps rounds that do not count
     * @param rounds rounds that do
     */
    record Workload(long guestBytes, int warmUps, int rounds) {}

    /** Copies the list. */
    LinuxPlan {
        guests = List.copyOf(guests);
    }

    /**
     * What the arguments ask for.
     *
     * @throws IllegalArgumentException if they are not understood, in one line
     */
    static LinuxPlan parse(List<String> arguments) {
        boolean quick = false;
        for (String argument : arguments) {
            if (!argument.equals("--quick")) {
                throw new IllegalArgumentException(
                        "--linux goes with --quick alone: argument=" + argument);
            }
            quick = true;
        }
        return quick ? QUICK : FULL;
    }
}
