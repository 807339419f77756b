package io.aerostat.balloon.stats;

import io.aerostat.virtio.spec.balloon.StatTag;

import java.util.EnumSet;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a guest's statistics can get wrong for the host to see. An absent figure contradicts
 * nothing.
 */
public enum Contradiction {
    /** More memory than the machine has RAM. */
    TOTAL_ABOVE_RAM,
    /** More free memory than memory. */
    FREE_ABOVE_TOTAL,
    /** More available memory than memory. */
    AVAILABLE_ABOVE_TOTAL,
    /** Larger caches than memory. */
    CACHES_ABOVE_TOTAL,
    /** Free memory that has no room beside the balloon: the guest counts pages that it gave. */
    FREE_INSIDE_BALLOON,
    /**
     * More memory in caches than the host has of this guest in its memory: a cached page has been
     * read into, and so has one behind it. Holds only where the host does not swap.
     */
    CACHES_NOT_RESIDENT;

    /** What {@link #in} takes for a figure that the host does not have. */
    public static final long UNKNOWN = -1;

    /**
     * Finds the contradictions in statistics.
     *
     * @param ramBytes RAM of the machine
     * @param balloonBytes what has been in the balloon all the time since the figures were taken
     * @param residentBytes RAM that the host has in memory, the most since the figures were taken;
     *     or {@link #UNKNOWN}
     */
    public static Set<Contradiction> in(
            GuestStatistics statistics, long ramBytes, long balloonBytes, long residentBytes) {
        OptionalLong total = statistics.value(StatTag.MEMTOT);
        OptionalLong free = statistics.value(StatTag.MEMFREE);
        OptionalLong caches = statistics.value(StatTag.CACHES);
        Set<Contradiction> found = EnumSet.noneOf(Contradiction.class);
        addIf(found, TOTAL_ABOVE_RAM, isAbove(total, ramBytes));
        if (total.isPresent()) {
            long limit = total.getAsLong();
            addIf(found, FREE_ABOVE_TOTAL, isAbove(free, limit));
            addIf(found, AVAILABLE_ABOVE_TOTAL, isAbove(statistics.value(StatTag.AVAIL), limit));
            addIf(found, CACHES_ABOVE_TOTAL, isAbove(caches, limit));
        }
        addIf(found, FREE_INSIDE_BALLOON, isAbove(free, ramBytes - balloonBytes));
        if (residentBytes != UNKNOWN) {
            addIf(found, CACHES_NOT_RESIDENT, isAbove(caches, residentBytes));
        }
        return found;
    }

    private static boolean isAbove(OptionalLong value, long limit) {
        return value.isPresent() && Long.compareUnsigned(value.getAsLong(), limit) > 0;
    }

    private static void addIf(Set<Contradiction> found, Contradiction which, boolean so) {
        if (so) {
            found.add(which);
        }
    }
}
