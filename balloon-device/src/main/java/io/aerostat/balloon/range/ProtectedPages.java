package io.aerostat.balloon.range;

import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Pages that must never be given back: those that hold a live ring. A guest that puts its own ring
 * into the balloon would have the device pull it from under its feet.
 *
 * <p>A few page ranges, each known by the slot that it was put in; they may overlap. One thread's.
 */
public final class ProtectedPages {
    private final long[] first;
    private final long[] end;

    // No page outside of [lowest, highest) is protected: rings mostly lie together, and most ranges
    // elsewhere.
    private long lowest;
    private long highest;

    /** Room for {@code slots} ranges. */
    public ProtectedPages(int slots) {
        first = new long[slots];
        end = new long[slots];
    }

    /**
     * How many slots there are: a range that is cut up by them has at most this many pieces more.
     */
    public int slots() {
        return first.length;
    }

    /** Protects all pages that hold a byte of [gpa, gpa + bytes). */
    public void protect(int slot, long gpa, long bytes) {
        first[slot] = gpa >>> PageFrame.SHIFT;
        end[slot] = (gpa + bytes + PageFrame.BYTES - 1) >>> PageFrame.SHIFT;
        findBounds();
    }

    /** Protects nothing in this slot any more. */
    public void release(int slot) {
        first[slot] = 0;
        end[slot] = 0;
        findBounds();
    }

    private void findBounds() {
        lowest = Long.MAX_VALUE;
        highest = 0;
        for (int i = 0; i < first.length; i++) {
            if (first[i] < end[i]) {
                lowest = Math.min(lowest, first[i]);
                highest = Math.max(highest, end[i]);
            }
        }
    }

    /**
     * Where the first protected page at or after {@code pfn} is; {@code limit} if that is further
     * on.
     */
    long nextProtected(long pfn, long limit) {
        if (limit <= lowest || pfn >= highest) {
            return limit;
        }
        long nearest = limit;
        for (int i = 0; i < first.length; i++) {
            if (end[i] > pfn) {
                nearest = Math.min(nearest, Math.max(first[i], pfn));
            }
        }
        return nearest;
    }

    /** Where protection that starts at {@code pfn} ends; {@code limit} if that is further on. */
    long endOfProtection(long pfn, long limit) {
        if (pfn >= limit) {
            return limit;
        }
        long at = pfn;
        boolean grown = true;
        while (grown) {
            grown = false;
            for (int i = 0; i < first.length; i++) {
                if (first[i] <= at && end[i] > at) {
                    at = end[i];
                    grown = true;
                }
            }
        }
        return Math.min(at, limit);
    }
}
