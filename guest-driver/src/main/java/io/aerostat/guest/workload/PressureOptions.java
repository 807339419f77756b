package io.aerostat.guest.workload;

/**
 * How a {@link PressureWorkload} uses memory.
 *
 * @param processes how many processes, at least 1
 * @param pagesPerProcess anonymous pages that one may grow to, at least {@code hotPages}
 * @param hotPages size of the part that nine accesses of ten go to, at least 1
 * @param accessesPerStep accesses of a process in a step at most, at least 1
 * @param diskNs how long a major fault takes, in nanoseconds
 * @param pauseNs how long a process sleeps between two bursts on average, in nanoseconds
 * @param backgroundPagesPerStep pages that kswapd reclaims in a step at most, at least 1
 */
public record PressureOptions(
        int processes,
        int pagesPerProcess,
        int hotPages,
        int accessesPerStep,
        long diskNs,
        long pauseNs,
        int backgroundPagesPerStep) {
    /** Four processes of up to 32 MiB, 4 MiB of it hot, on a disk of 8 ms. */
    public static final PressureOptions DEFAULT =
            new PressureOptions(4, 8192, 1024, 16, 8_000_000L, 500_000_000L, 64);

    /** Checks the ranges. */
    public PressureOptions {
        if (processes < 1
                || hotPages < 1
                || pagesPerProcess < hotPages
                || accessesPerStep < 1
                || backgroundPagesPerStep < 1) {
            throw new IllegalArgumentException(
                    "not a workload: processes="
                            + processes
                            + (", pagesPerProcess=" + pagesPerProcess)
                            + (", hotPages=" + hotPages)
                            + (", accessesPerStep=" + accessesPerStep)
                            + (", backgroundPagesPerStep=" + backgroundPagesPerStep));
        }
        if (diskNs < 0 || pauseNs < 0) {
            throw new IllegalArgumentException(
                    "times must not be negative: diskNs=" + diskNs + ", pauseNs=" + pauseNs);
        }
    }

    /** These options with another number of processes. */
    public PressureOptions withProcesses(int processes) {
        return new PressureOptions(
                processes,
                pagesPerProcess,
                hotPages,
                accessesPerStep,
                diskNs,
                pauseNs,
                backgroundPagesPerStep);
    }

    /** These options with other sizes of a process. */
    public PressureOptions withPages(int pagesPerProcess, int hotPages) {
        return new PressureOptions(
                processes,
                pagesPerProcess,
                hotPages,
                accessesPerStep,
                diskNs,
                pauseNs,
                backgroundPagesPerStep);
    }
}
