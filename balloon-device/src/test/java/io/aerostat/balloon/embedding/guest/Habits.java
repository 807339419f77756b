package io.aerostat.balloon.embedding.guest;

/**
 * What differs from one driver to the next.
 *
 * @param features what it takes if it is offered
 * @param configWidth bytes of its accesses to the configuration space: 1, 2 or 4
 */
public record Habits(long features, int configWidth) {
    /** As Linux: all but PAGE_POISON, which it takes only if it has something to say. */
    public static final Habits LINUX =
            new Habits(
                    VirtioMmio.VERSION_1
                            | VirtioMmio.INDIRECT_DESC
                            | VirtioMmio.EVENT_IDX
                            | VirtioMmio.MUST_TELL_HOST
                            | VirtioMmio.STATS_VQ
                            | VirtioMmio.FREE_PAGE_HINT
                            | VirtioMmio.PAGE_REPORTING,
                    4);

    /** These habits without some features. */
    public Habits without(long features) {
        return new Habits(this.features & ~features, configWidth);
    }

    /** These habits with another width of configuration accesses. */
    public Habits withConfigWidth(int configWidth) {
        return new Habits(features, configWidth);
    }
}
