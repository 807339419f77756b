package io.aerostat.virtio.queue;

/**
 * Arithmetic of the free-running 16-bit ring indices, which wrap on purpose (VIRTIO 1.4, 2.7.6,
 * 2.7.8).
 */
public final class RingIndex {
    private static final int MASK = 0xFFFF;

    private RingIndex() {}

    /** The index {@code count} steps after {@code index}. */
    public static int plus(int index, int count) {
        return (index + count) & MASK;
    }

    /** Steps from {@code from} to {@code to}, 0 to 65535. */
    public static int distance(int from, int to) {
        return (to - from) & MASK;
    }

    /**
     * Tells whether a step from index {@code from} to {@code to} passes the entry that {@code
     * event} names, so that its writer wants a notification (2.7.7, 2.7.10): the rule is stated for
     * each entry, this is its form for a batch.
     */
    public static boolean crosses(int event, int from, int to) {
        return distance(event + 1, to) < distance(from, to);
    }
}
