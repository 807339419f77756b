package io.aerostat.guest.task;

/**
 * The guest's tick count, driven by a virtual clock. A jiffy is 4 ms ({@value #HZ} a second).
 *
 * <p>As in Linux there are two counts: one of 64 bits, and its low 32 bits, which wrap. They start
 * five minutes before the 32-bit count does, so that code which compares counts the wrong way goes
 * wrong early. The right way is {@link #after} and {@link #before}: by the sign of the difference.
 *
 * <p>One thread's.
 */
public final class Jiffies {
    /** Jiffies a second. */
    public static final int HZ = 250;

    /** The 32-bit count at the start: five minutes before it wraps to 0. */
    public static final int INITIAL = -300 * HZ;

    /** Nanoseconds a jiffy. */
    public static final long NS_PER_JIFFY = 1_000_000_000L / HZ;

    private final long startNs;
    private long nowNs;

    /**
     * A count at {@link #INITIAL}.
     *
     * @param startNs what the virtual clock shows at boot, in nanoseconds from any origin
     */
    public Jiffies(long startNs) {
        this.startNs = startNs;
        this.nowNs = startNs;
    }

    /**
     * Goes on to a time. Part of a jiffy is not lost: it counts with what follows.
     *
     * @param nowNs the virtual clock in nanoseconds
     * @throws IllegalArgumentException if that is before the time it shows
     */
    public void advanceTo(long nowNs) {
        if (nowNs - this.nowNs < 0) {
            throw new IllegalArgumentException(
                    "the clock went back: nowNs=" + nowNs + ", before=" + this.nowNs);
        }
        this.nowNs = nowNs;
    }

    /** The time of the last {@link #advanceTo}, in nanoseconds. */
    public long nowNs() {
        return nowNs;
    }

    /** Nanoseconds since boot. */
    public long uptimeNs() {
        return nowNs - startNs;
    }

    /** The 32-bit count, which wraps. */
    public int count() {
        return (int) count64();
    }

    /** The 64-bit count, which starts at {@link #INITIAL} without its sign. */
    public long count64() {
        return Integer.toUnsignedLong(INITIAL) + uptimeNs() / NS_PER_JIFFY;
    }

    /**
     * Tells whether count {@code a} is later than {@code b}. Right as long as they are less than
     * 2<sup>31</sup> jiffies apart (99 days), across the wrap too.
     */
    public static boolean after(int a, int b) {
        return b - a < 0;
    }

    /** Tells whether count {@code a} is earlier than {@code b}; limits as for {@link #after}. */
    public static boolean before(int a, int b) {
        return after(b, a);
    }

    /**
     * The whole jiffies in a length of time.
     *
     * @param ns nanoseconds, not negative
     */
    public static long ofNs(long ns) {
        return requireLength(ns) / NS_PER_JIFFY;
    }

    /**
     * The jiffies that a timeout of this length needs: rounded up, since it must not fire early.
     *
     * @param ns nanoseconds, not negative
     */
    public static long timeoutOfNs(long ns) {
        long whole = ofNs(ns);
        return whole * NS_PER_JIFFY == ns ? whole : whole + 1;
    }

    /**
     * The length of a number of jiffies in nanoseconds.
     *
     * @throws ArithmeticException if that is more than 292 years
     */
    public static long toNs(long jiffies) {
        return Math.multiplyExact(jiffies, NS_PER_JIFFY);
    }

    private static long requireLength(long ns) {
        if (ns < 0) {
            throw new IllegalArgumentException("a length of time is not negative: ns=" + ns);
        }
        return ns;
    }
}
