package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameSource;
import io.aerostat.guest.mm.frame.FrameTable;
import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.VmCounters;

import org.jspecify.annotations.Nullable;

/**
 * Makes a free block of many frames out of many free frames, by moving pages out of the way.
 *
 * <p>The block to clear is the one with the fewest pages in it, of those with nothing in it that
 * can't be moved; among equals the highest, since the allocator fills memory from below. It stays
 * the same from call to call until it is free, or until {@value #PATIENCE} calls in a row have
 * changed nothing in it. Meanwhile nobody moves in, see {@link FrameSource#avoid}, unless memory is
 * so short that even this must be given up.
 *
 * <pre>
 *   before    | a . b . | c B . . | r . . . |      a b c  our own: copied to another frame, at once
 *   target                ^^^^^^^                  B      ballooned: its owner is asked to move it
 *   after     | a c b . | . . . . | r B . . |      r      reserved: no block with such is cleared
 * </pre>
 */
final class Compaction {
    /** Pages that one call moves at most, itself or through their owner. */
    static final int PAGES_PER_CALL = 256;

    private static final int PATIENCE = 16;
    private static final int NONE = FrameSource.NONE;
    private static final int UNMOVABLE = Integer.MAX_VALUE;

    private final FrameTable frames;
    private final FrameSource source;
    private final PageCache cache;
    private final AnonymousPages anonymous;
    private final VmCounters counters;

    private PageMover mover = PageMover.NONE;
    private int block = NONE;
    private int blockOrder;
    private int blockPagesLeft;
    private int fruitlessCalls;

    Compaction(
            FrameTable frames,
            FrameSource source,
            PageCache cache,
            AnonymousPages anonymous,
            VmCounters counters) {
        this.frames = frames;
        this.source = source;
        this.cache = cache;
        this.anonymous = anonymous;
        this.counters = counters;
    }

    void mover(PageMover mover) {
        this.mover = mover;
    }

    /** See {@link MemoryNode#compact}. */
    boolean compact(int order) {
        boolean wasAtIt = block != NONE && blockOrder == order;
        source.stopAvoiding();
        if (source.largestFreeOrder() >= order) {
            finish(wasAtIt ? VmCounter.COMPACT_SUCCESS : null);
            return true;
        }
        boolean goesOn = wasAtIt && isWorthGoingOn();
        if (!goesOn && !choose(order, wasAtIt ? block : NONE)) {
            finish(VmCounter.COMPACT_FAIL);
            return false;
        }
        source.avoid(block, order);
        clear();
        if (pagesIn(block, order, true) > 0) {
            return false;
        }
        source.stopAvoiding();
        boolean made = source.largestFreeOrder() >= order;
        finish(made ? VmCounter.COMPACT_SUCCESS : VmCounter.COMPACT_FAIL);
        return made;
    }

    private void finish(@Nullable VmCounter result) {
        if (result != null) {
            counters.add(result, 1);
        }
        block = NONE;
    }

    private boolean isWorthGoingOn() {
        int left = pagesIn(block, blockOrder, true);
        fruitlessCalls = left < blockPagesLeft ? 0 : fruitlessCalls + 1;
        blockPagesLeft = left;
        return left != UNMOVABLE && fruitlessCalls < PATIENCE;
    }

    private boolean choose(int order, int givenUp) {
        int pages = 1 << order;
        int fewest = UNMOVABLE;
        block = NONE;
        int first = (frames.firstPfn() + pages - 1) & -pages;
        for (int pfn = first; pfn <= frames.endPfn() - pages; pfn += pages) {
            int inIt = pfn == givenUp ? UNMOVABLE : pagesIn(pfn, order, false);
            // They need as many free frames elsewhere.
            if (inIt <= fewest && inIt != UNMOVABLE && source.freePages() >= pages) {
                fewest = inIt;
                block = pfn;
            }
        }
        blockOrder = order;
        blockPagesLeft = fewest;
        fruitlessCalls = 0;
        return block != NONE;
    }

    /**
     * Pages in a block, or UNMOVABLE if one of them is that.
     *
     * @param asked whether the balloon's pages there were asked to move: one that says it isn't the
     *     balloon's any more may be on its way
     */
    private int pagesIn(int first, int order, boolean asked) {
        int count = 0;
        for (int pfn = first; pfn < first + (1 << order); pfn++) {
            switch (frames.use(pfn)) {
                case FREE, ISOLATED -> {}
                case CACHE, ANONYMOUS -> count++;
                case BALLOON -> {
                    if (!asked && !mover.owns(pfn)) {
                        return UNMOVABLE;
                    }
                    count++;
                }
                case RESERVED -> {
                    return UNMOVABLE;
                }
            }
        }
        return count;
    }

    private void clear() {
        int left = PAGES_PER_CALL;
        for (int pfn = block; pfn < block + (1 << blockOrder) && left > 0; pfn++) {
            FrameUse use = frames.use(pfn);
            if (use == FrameUse.CACHE || use == FrameUse.ANONYMOUS) {
                left--;
                if (!moveOwn(pfn, use)) {
                    return;
                }
            } else if (use == FrameUse.BALLOON && mover.owns(pfn)) {
                left--;
                counters.add(VmCounter.PGMIGRATE_FAIL, mover.move(pfn) ? 0 : 1);
            }
        }
    }

    private boolean moveOwn(int pfn, FrameUse use) {
        int target = source.take(use);
        if (target == NONE || isInBlock(target)) {
            if (target != NONE) {
                source.give(target, 0);
            }
            counters.add(VmCounter.PGMIGRATE_FAIL, 1);
            return false;
        }
        if (use == FrameUse.CACHE) {
            cache.move(pfn, target);
        } else {
            anonymous.move(pfn, target);
        }
        source.give(pfn, 0);
        counters.add(VmCounter.PGMIGRATE_SUCCESS, 1);
        return true;
    }

    private boolean isInBlock(int pfn) {
        return pfn >= block && pfn < block + (1 << blockOrder);
    }
}
