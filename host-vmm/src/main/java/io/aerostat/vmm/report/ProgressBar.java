package io.aerostat.vmm.report;

import java.io.PrintWriter;
import java.util.Locale;

/**
 * Pages done of pages to do, how fast, and how long still. On a terminal it redraws its line;
 * elsewhere it prints the last state alone.
 */
public final class ProgressBar {
    private static final int WIDTH = 30;

    /** What was longer before must not show. */
    private static final String ERASE_REST_OF_LINE = "\u001b[K";

    private final PrintWriter out;
    private final boolean terminal;
    private final long total;
    private final long startNs;

    /**
     * @param total pages to do
     * @param startNs when it began, by System.nanoTime
     */
    public ProgressBar(PrintWriter out, boolean terminal, long total, long startNs) {
        this.out = out;
        this.terminal = terminal;
        this.total = total;
        this.startNs = startNs;
    }

    /** Tells how far it is, on a terminal. */
    public void update(long done, long nowNs) {
        if (terminal) {
            out.print("\r" + line(done, nowNs) + ERASE_REST_OF_LINE);
            out.flush();
        }
    }

    /** Tells how far it came, and ends the line. */
    public void finish(long done, long nowNs) {
        out.println(terminal ? "\r" + line(done, nowNs) + ERASE_REST_OF_LINE : line(done, nowNs));
        out.flush();
    }

    private String line(long done, long nowNs) {
        double seconds = Math.max(1, nowNs - startNs) / 1e9;
        double perSecond = done / seconds;
        double left = perSecond > 0 ? (total - done) / perSecond : 0;
        int filled = total == 0 ? WIDTH : (int) (WIDTH * done / total);
        return String.format(
                Locale.ROOT,
                "  [%s%s] %d of %d pages  %,.0f pages/s  %.1f s left",
                "#".repeat(filled),
                ".".repeat(WIDTH - filled),
                done,
                total,
                perSecond,
                left);
    }
}
