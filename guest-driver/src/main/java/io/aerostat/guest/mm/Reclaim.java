package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameSource;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.VmCounters;
import io.aerostat.guest.mm.frame.Watermarks;

/**
 * Makes pages free: drops cached ones, swaps anonymous ones out.
 *
 * <p>Which list to look at next: cold cache goes first. A cached page that was used again gets its
 * second chance, and for each of those, <i>swappiness</i> 200ths of an anonymous page are looked at
 * before the next. So a guest with much idle cache doesn't swap, and one whose cache is all in use
 * swaps in proportion. When one list has nothing more to give, the other is looked at alone.
 *
 * <p>A page gets one second chance a pass, so a pass ends after two looks at each page. It comes up
 * with all that was wanted if there is as much: {@link #reclaimablePages} is exact.
 */
final class Reclaim {
    /** Pages that are reclaimed at a time. */
    static final int CLUSTER_PAGES = 32;

    private final FrameSource source;
    private final PageCache cache;
    private final AnonymousPages anonymous;
    private final VmCounters counters;
    private final Watermarks watermarks;
    private final int swappiness;

    private int anonymousCredit;
    private boolean awake;

    Reclaim(
            FrameSource source,
            PageCache cache,
            AnonymousPages anonymous,
            VmCounters counters,
            Watermarks watermarks,
            int swappiness) {
        this.source = source;
        this.cache = cache;
        this.anonymous = anonymous;
        this.counters = counters;
        this.watermarks = watermarks;
        this.swappiness = swappiness;
    }

    /** Wakes background reclaim if there is less free than the low watermark. */
    void wakeIfLow() {
        if (!awake && source.freePages() < watermarks.lowPages()) {
            awake = true;
            counters.add(VmCounter.PAGEOUTRUN, 1);
        }
    }

    boolean isAwake() {
        return awake;
    }

    /** A stretch of background reclaim, up to the high watermark. */
    long inBackground(long maxPages) {
        if (!awake) {
            return 0;
        }
        long wanted = Math.min(maxPages, watermarks.highPages() - source.freePages());
        long reclaimed = reclaim(wanted, VmCounter.PGSCAN_KSWAPD, VmCounter.PGSTEAL_KSWAPD);
        // Nothing left to reclaim is a reason to sleep, too: the next allocation wakes it again.
        awake = source.freePages() < watermarks.highPages() && reclaimed > 0;
        return reclaimed;
    }

    /** Reclaims for somebody who waits for it. */
    long direct(long wanted) {
        return reclaim(wanted, VmCounter.PGSCAN_DIRECT, VmCounter.PGSTEAL_DIRECT);
    }

    /** What {@link #direct} could come up with. */
    long reclaimablePages() {
        return (long) cache.size() + anonymous.swappablePages();
    }

    private long reclaim(long wanted, VmCounter scanned, VmCounter stolen) {
        long looksLeft = 2L * (cache.size() + (long) anonymous.size());
        long looks = 0;
        long reclaimed = 0;
        while (reclaimed < wanted && looks < looksLeft) {
            boolean canSwap = anonymous.swappablePages() > 0;
            if (cache.size() == 0 && !canSwap) {
                break;
            }
            looks++;
            if (canSwap && (cache.size() == 0 || spendCredit())) {
                reclaimed += anonymous.swapOutOldest() ? 1 : 0;
            } else if (cache.dropOldest()) {
                reclaimed++;
            } else if (canSwap) {
                anonymousCredit += swappiness;
            }
        }
        counters.add(scanned, looks);
        counters.add(stolen, reclaimed);
        return reclaimed;
    }

    private boolean spendCredit() {
        if (anonymousCredit < MemoryOptions.MAX_SWAPPINESS) {
            return false;
        }
        anonymousCredit -= MemoryOptions.MAX_SWAPPINESS;
        return true;
    }
}
