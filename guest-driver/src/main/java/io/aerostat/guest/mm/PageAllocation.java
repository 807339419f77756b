package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameSource;
import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.VmCounters;
import io.aerostat.guest.mm.frame.Watermarks;

import org.jspecify.annotations.Nullable;

/**
 * Gets a frame for a process's access, whatever it takes.
 *
 * <ol>
 *   <li>A free one, as long as the min watermark stays free.
 *   <li>One that compaction kept aside.
 *   <li>Direct reclaim.
 *   <li>Relief: somebody gives memory back, at once or soon. A promise that isn't kept is believed
 *       {@value #PATIENCE} times in a row.
 *   <li>The process with the most anonymous pages is killed; then again from 3.
 * </ol>
 */
final class PageAllocation {
    /** There is no frame now; try again soon. */
    static final int AGAIN = -2;

    /** There is no frame, and the process that wanted it is killed. */
    static final int KILLED = -3;

    private static final int PATIENCE = 16;

    private final FrameSource source;
    private final Reclaim reclaim;
    private final AnonymousPages anonymous;
    private final VmCounters counters;
    private final Watermarks watermarks;

    private OutOfMemoryRelief relief = OutOfMemoryRelief.NONE;
    private MemoryEvents events = MemoryEvents.NONE;

    PageAllocation(
            FrameSource source,
            Reclaim reclaim,
            AnonymousPages anonymous,
            VmCounters counters,
            Watermarks watermarks) {
        this.source = source;
        this.reclaim = reclaim;
        this.anonymous = anonymous;
        this.counters = counters;
        this.watermarks = watermarks;
    }

    void relief(OutOfMemoryRelief relief) {
        this.relief = relief;
    }

    void events(MemoryEvents events) {
        this.events = events;
    }

    MemoryEvents events() {
        return events;
    }

    /**
     * Takes a frame for a page of {@code wanting}, or of a file that it reads.
     *
     * @return its PFN, {@link #AGAIN} or {@link #KILLED}
     */
    int take(AddressSpace wanting, FrameUse use) {
        if (!mayTakeOne()) {
            int failure = makeRoom(wanting);
            if (failure < 0) {
                return failure;
            }
        }
        // Whoever promised memory has kept his word, or there was some without him.
        wanting.brokenPromises = 0;
        int pfn = source.take(use);
        reclaim.wakeIfLow();
        return pfn;
    }

    /** For the balloon: the same without relief and killing, and only one attempt to reclaim. */
    int takeForBalloon() {
        if (!mayTakeOne()) {
            stall();
        }
        int pfn = mayTakeOne() ? source.take(FrameUse.BALLOON) : FrameSource.NONE;
        reclaim.wakeIfLow();
        return pfn;
    }

    /** Tells whether {@link #takeForBalloon} would find a frame. */
    boolean hasOneForBalloon() {
        long atHand = source.freePages() + source.isolatedPages();
        return atHand + reclaim.reclaimablePages() > watermarks.minPages();
    }

    private boolean mayTakeOne() {
        return source.freePages() > watermarks.minPages();
    }

    private long missingPages() {
        long missing = watermarks.minPages() + 1 - source.freePages();
        return Math.max(missing, Reclaim.CLUSTER_PAGES);
    }

    private void stall() {
        source.stopAvoiding();
        if (!mayTakeOne()) {
            counters.add(VmCounter.ALLOCSTALL_NORMAL, 1);
            reclaim.direct(missingPages());
        }
    }

    /** Answers 0 when there is room. */
    private int makeRoom(AddressSpace wanting) {
        stall();
        while (!mayTakeOne()) {
            boolean promised = askForRelief();
            if (mayTakeOne()) {
                break;
            }
            if (promised && wanting.brokenPromises < PATIENCE) {
                wanting.brokenPromises++;
                return AGAIN;
            }
            wanting.brokenPromises = 0;
            if (killSomebody(wanting) == wanting) {
                return KILLED;
            }
            reclaim.direct(missingPages());
        }
        return 0;
    }

    private boolean askForRelief() {
        long promised = relief.relieve(missingPages());
        counters.add(VmCounter.OOM_RELIEF, 1);
        counters.add(VmCounter.OOM_RELIEF_PAGES, Math.max(0, promised));
        return promised > 0;
    }

    private AddressSpace killSomebody(AddressSpace wanting) {
        @Nullable AddressSpace largest = anonymous.largest();
        AddressSpace victim = largest == null ? wanting : largest;
        long resident = victim.residentPages();
        long swapped = victim.swappedPages();
        victim.kill();
        counters.add(VmCounter.OOM_KILL, 1);
        events.outOfMemoryKill(victim, resident, swapped);
        return victim;
    }
}
