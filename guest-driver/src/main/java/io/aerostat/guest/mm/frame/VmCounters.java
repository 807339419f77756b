package io.aerostat.guest.mm.frame;

import java.util.concurrent.atomic.AtomicLongArray;

/** The values of the {@link VmCounter}s. Written by the guest's thread, read by any. */
public final class VmCounters {
    private static final VmCounter[] COUNTERS = VmCounter.values();

    private final AtomicLongArray values = new AtomicLongArray(COUNTERS.length);

    /** Counters at 0. */
    public VmCounters() {}

    /** The value of a counter. */
    public long get(VmCounter counter) {
        return values.get(counter.ordinal());
    }

    /** Adds to a counter. The guest's thread only. */
    public void add(VmCounter counter, long amount) {
        if (amount != 0) {
            int index = counter.ordinal();
            values.lazySet(index, values.getPlain(index) + amount);
        }
    }

    /** All of them, a line each, as {@code /proc/vmstat} prints its own. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (VmCounter counter : COUNTERS) {
            text.append(counter.vmstatName()).append(' ').append(get(counter)).append('\n');
        }
        return text.toString();
    }
}
