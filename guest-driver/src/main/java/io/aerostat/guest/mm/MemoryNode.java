package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameSource;
import io.aerostat.guest.mm.frame.FrameTable;
import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.PageContent;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.VmCounters;
import io.aerostat.guest.mm.frame.Watermarks;
import io.aerostat.guest.page.PageAllocator;
import io.aerostat.guest.page.ReportablePages;
import io.aerostat.virtio.memory.GuestMemory;

/**
 * All memory of a guest, and who has it: processes, the page cache, the balloon, nobody.
 *
 * <pre>
 *                     ┌───────────────── total ──────────────────┐
 *                      reserved │ balloon │ anonymous │ cache │ free (+ isolated)
 *                                              │  ▲       │  ▲
 *                                     swap out ▼  │       ▼  │ read, dropped
 *                                              swap       files
 * </pre>
 *
 * <p>Under pressure, free memory goes first, then idle cache, then anonymous pages to the swap
 * area. Then somebody is asked for relief, and last of all a process is killed. The balloon gets no
 * page that would need one of the last two.
 *
 * <p>Takes over the page allocator: what is free there at the start is the memory's to manage, and
 * from then on nobody else may allocate there, but through {@link #balloonPages} (frames that are
 * already taken stay reserved). Work is done in the calls alone: accesses to an {@link
 * AddressSpace}, {@link #reclaimInBackground}, {@link #compact}. One thread's.
 */
public final class MemoryNode {
    private final FrameTable frames;
    private final FrameSource source;
    private final VmCounters counters = new VmCounters();
    private final Watermarks watermarks;
    private final PageCache cache;
    private final AnonymousPages anonymous;
    private final Reclaim reclaim;
    private final PageAllocation allocation;
    private final Compaction compaction;
    private final BalloonPages balloonPages;
    private final MemoryOptions options;
    private final long anonymousSeed;

    /**
     * Memory with no process in it, and nothing cached.
     *
     * @param memory the guest's RAM
     * @param pages its page allocator
     * @throws IllegalArgumentException if the high watermark isn't below all of the memory
     */
    public MemoryNode(GuestMemory memory, ReportablePages pages, MemoryOptions options) {
        Watermarks chosen = options.watermarks();
        watermarks = chosen == null ? Watermarks.of(pages.totalPages()) : chosen;
        if (watermarks.highPages() >= pages.totalPages()) {
            throw new IllegalArgumentException(
                    "memory is smaller than its watermarks: totalPages="
                            + pages.totalPages()
                            + (", " + watermarks));
        }
        this.options = options;
        anonymousSeed = PageContent.key(options.seed(), 0, 0, 0);
        frames = new FrameTable(memory);
        source = new FrameSource(pages, frames, counters);
        cache = new PageCache(frames, source, options);
        anonymous = new AnonymousPages(frames, source, counters, options);
        reclaim = new Reclaim(source, cache, anonymous, counters, watermarks, options.swappiness());
        allocation = new PageAllocation(source, reclaim, anonymous, counters, watermarks);
        compaction = new Compaction(frames, source, cache, anonymous, counters);
        balloonPages = new BalloonPages(source, frames, allocation, watermarks);
    }

    // whom to ask, whom to tell

    /** Says whom to ask for memory before a process is killed. */
    public void useRelief(OutOfMemoryRelief relief) {
        allocation.relief(relief);
    }

    /** Says who can move the pages that {@link #balloonPages} handed out. */
    public void useMover(PageMover mover) {
        compaction.mover(mover);
    }

    /** Says whom to tell what happens. */
    public void useEvents(MemoryEvents events) {
        allocation.events(events);
    }

    // who uses memory

    /**
     * The memory of a new process.
     *
     * @param id a number for it, such as its pid; not negative. Contents follow from it: no two
     *     processes should share one at a time
     * @param pages how many anonymous pages it can have; each takes 8 bytes of Java heap
     */
    public AddressSpace newAddressSpace(int id, int pages) {
        if (id < 0 || pages < 0) {
            throw new IllegalArgumentException(
                    "not an address space: id=" + id + ", pages=" + pages);
        }
        AddressSpace space = new AddressSpace(this, id, pages, anonymousSeed);
        anonymous.enter(space);
        return space;
    }

    /**
     * The allocator for the balloon driver: for ballooned pages and its own.
     *
     * <p>It behaves as Linux does to its driver. A single page comes as long as the min watermark
     * stays free, after one attempt at direct reclaim if need be; a larger block only from what is
     * free above the high watermark. No relief is asked for, and nobody is killed. {@link
     * PageAllocator#largestFreeOrder} answers what {@link PageAllocator#allocate} would find, so 0
     * may stand for a page that is still to be reclaimed. It takes back only what it handed out.
     */
    public ReportablePages balloonPages() {
        return balloonPages;
    }

    // work

    /**
     * Does a stretch of background reclaim, if there is reason to: from the moment less is free
     * than the low watermark, until the high one is reached or nothing can be reclaimed.
     *
     * @param maxPages how many to reclaim at most
     * @return how many were reclaimed
     */
    public long reclaimInBackground(long maxPages) {
        return reclaim.inBackground(maxPages);
    }

    /** Tells whether background reclaim has work to do. */
    public boolean isReclaimingInBackground() {
        return reclaim.isAwake();
    }

    /**
     * Works towards a free block of an order, by moving pages; a bounded number of them. While
     * pages of others are on their way out of the block, call it again.
     *
     * @param order 0 to the allocator's highest
     * @return whether a block of that order is free now
     */
    public boolean compact(int order) {
        if (order < 0 || order > source.maxOrder()) {
            throw new IllegalArgumentException(
                    "order out of range: order=" + order + ", maxOrder=" + source.maxOrder());
        }
        return compaction.compact(order);
    }

    // figures, in pages

    /** All of the allocator's, the balloon's too. */
    public long totalPages() {
        return source.totalPages();
    }

    /** Not used, and to be had at once (MemFree). */
    public long freePages() {
        return source.freePages();
    }

    /**
     * The order of the largest free block, or {@link PageAllocator#NONE} if there is none; what is
     * kept aside does not count.
     */
    public int largestFreeOrder() {
        return source.largestFreeOrder();
    }

    /** Not used, but kept aside for a block that compaction is making. */
    public long isolatedPages() {
        return source.isolatedPages();
    }

    /** Pages of files (Cached). */
    public long cachePages() {
        return cache.size();
    }

    /** Pages of processes, in RAM (AnonPages). */
    public long anonymousPages() {
        return anonymous.size();
    }

    /** What {@link #balloonPages} has handed out. */
    public long balloonedPages() {
        return frames.count(FrameUse.BALLOON);
    }

    /** Taken from the allocator before this memory was made. */
    public long reservedPages() {
        return totalPages()
                - (freePages() + isolatedPages())
                - (cachePages() + anonymousPages())
                - balloonedPages();
    }

    /** Size of the swap area (SwapTotal). */
    public long swapTotalPages() {
        return anonymous.swap().totalPages();
    }

    /** Pages in the swap area. */
    public long swapUsedPages() {
        return anonymous.swap().usedPages();
    }

    /**
     * What a new program could have without swapping (MemAvailable): free pages above the low
     * watermark, and the cache, all of which is clean; at least 0. Linux, whose cache has to stay
     * to some part, subtracts more.
     */
    public long availablePages() {
        return Math.max(0, freePages() - watermarks.lowPages() + cachePages());
    }

    /** How much is kept free. */
    public Watermarks watermarks() {
        return watermarks;
    }

    /** All counts. May be read from any thread. */
    public VmCounters counters() {
        return counters;
    }

    /** Faults that did not wait for a disk; all others are {@link VmCounter#PGMAJFAULT}. */
    public long minorFaults() {
        return counters.get(VmCounter.PGFAULT) - counters.get(VmCounter.PGMAJFAULT);
    }

    /** What it was made with. */
    public MemoryOptions options() {
        return options;
    }

    /** What a page frame is used for; RESERVED for any that isn't RAM. */
    public FrameUse useOf(int pfn) {
        return frames.contains(pfn) ? frames.use(pfn) : FrameUse.RESERVED;
    }

    // for the address spaces

    AnonymousPages anonymous() {
        return anonymous;
    }

    PageCache cache() {
        return cache;
    }

    PageAllocation allocation() {
        return allocation;
    }
}
