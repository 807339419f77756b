package io.aerostat.guest.mm.frame;

/**
 * How much memory is kept free, in pages.
 *
 * <pre>
 *   free   high ─── background reclaim stops
 *          low  ─── background reclaim is woken
 *          min  ─── who wants a page must reclaim first
 *          0
 * </pre>
 *
 * @param minPages at least 0
 * @param lowPages at least {@code minPages}
 * @param highPages at least {@code lowPages}
 */
public record Watermarks(long minPages, long lowPages, long highPages) {
    private static final long KIB_PER_PAGE = 4;
    private static final long LEAST_MIN_KIB = 128;
    private static final long MOST_MIN_KIB = 262_144;
    private static final long SCALE = 1000;

    /** Checks the order. */
    public Watermarks {
        if (minPages < 0 || lowPages < minPages || highPages < lowPages) {
            throw new IllegalArgumentException(
                    "watermarks must rise: minPages="
                            + minPages
                            + (", lowPages=" + lowPages)
                            + (", highPages=" + highPages));
        }
    }

    /**
     * The watermarks that Linux has for so much memory: min is the square root of 16 times the KiB,
     * in KiB, from 128 to 262144; the steps above it are a quarter of min, or a thousandth of the
     * memory if that is more.
     */
    public static Watermarks of(long totalPages) {
        long root = (long) Math.sqrt((double) totalPages * KIB_PER_PAGE * 16);
        long min = Math.min(Math.max(root, LEAST_MIN_KIB), MOST_MIN_KIB) / KIB_PER_PAGE;
        long step = Math.max(min / 4, totalPages / SCALE);
        return new Watermarks(min, min + step, min + 2 * step);
    }
}
