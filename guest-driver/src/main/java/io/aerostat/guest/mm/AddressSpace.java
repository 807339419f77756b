package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.PageContent;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.VmCounters;

/**
 * The memory of a process: anonymous pages numbered from 0, and a view of all files. Made by {@link
 * MemoryNode#newAddressSpace}.
 *
 * <p>A page comes into being, full of zeros, when it is first accessed. What {@link #write} puts in
 * it follows from the process, the page, how often it was written, and the seed; so {@link #read}
 * can tell whether each bit of it is right, wherever the page has been meanwhile. It is checked
 * when it is swapped in, too.
 *
 * <p>8 bytes of Java heap a page. Accesses to a page that isn't there are the caller's mistake, as
 * is any access after {@link #exit}; once it is killed they all answer KILLED.
 */
public final class AddressSpace {
    private enum Life {
        ALIVE,
        KILLED,
        EXITED
    }

    private final int id;
    private final AnonymousPages anonymous;
    private final PageCache cache;
    private final PageAllocation allocation;
    private final VmCounters counters;
    private final long seed;

    /** 0: no page; PFN + 1: in RAM; -(slot + 1): swapped out. */
    private final int[] places;

    private final int[] versions;
    private Life life = Life.ALIVE;

    /** The note of PageAllocation: promises in a row that were not kept when it asked again. */
    int brokenPromises;

    private int number;
    private int resident;
    private int swapped;

    AddressSpace(MemoryNode node, int id, int pages, long seed) {
        this.id = id;
        this.anonymous = node.anonymous();
        this.cache = node.cache();
        this.allocation = node.allocation();
        this.counters = node.counters();
        this.seed = seed;
        this.places = new int[pages];
        this.versions = new int[pages];
    }

    // accesses

    /** Makes a page present, without changing it. */
    public FaultOutcome touch(int page) {
        checkPage(page);
        if (life == Life.KILLED) {
            return FaultOutcome.KILLED;
        }
        if (isPresent(page)) {
            anonymous.reference(frameOf(page));
            return FaultOutcome.NONE;
        }
        int pfn = allocation.take(this, FrameUse.ANONYMOUS);
        if (pfn < 0) {
            return pfn == PageAllocation.AGAIN ? FaultOutcome.AGAIN : FaultOutcome.KILLED;
        }
        counters.add(VmCounter.PGFAULT, 1);
        if (!isSwapped(page)) {
            anonymous.insertZeros(this, page, pfn);
            return FaultOutcome.MINOR;
        }
        anonymous.swapIn(this, page, pfn);
        counters.add(VmCounter.PGMAJFAULT, 1);
        counters.add(VmCounter.WORKINGSET_REFAULT_ANON, 1);
        check(page);
        return FaultOutcome.MAJOR;
    }

    /** Makes a page present and writes all of it: each time something else. */
    public FaultOutcome write(int page) {
        FaultOutcome outcome = touch(page);
        if (outcome.isPresent()) {
            versions[page]++;
            PageContent.fill(anonymous.map(frameOf(page)), key(page));
        }
        return outcome;
    }

    /**
     * Makes a page present and checks all of it. Wrong content is counted and reported, see {@link
     * MemoryEvents#corruptedPage}.
     */
    public FaultOutcome read(int page) {
        FaultOutcome outcome = touch(page);
        // A page that came from the swap area was checked on its way.
        if (outcome.isPresent() && outcome != FaultOutcome.MAJOR) {
            check(page);
        }
        return outcome;
    }

    private void check(int page) {
        int pfn = frameOf(page);
        if (!PageContent.matches(anonymous.map(pfn), key(page))) {
            counters.add(VmCounter.CORRUPTED, 1);
            allocation.events().corruptedPage(this, page, pfn);
        }
    }

    private long key(int page) {
        int version = versions[page];
        return version == 0 ? PageContent.ZEROS : PageContent.key(seed, id, page, version);
    }

    /**
     * Reads a page of a file, as through a mapping, and checks all of it; a page that isn't cached
     * is a major fault. Wrong content is counted and reported.
     */
    public FaultOutcome readFile(int file, int index) {
        requireNotExited();
        int pfn = cache.frameOf(file, index);
        if (life == Life.KILLED) {
            return FaultOutcome.KILLED;
        }
        FaultOutcome outcome = FaultOutcome.NONE;
        if (pfn < 0) {
            pfn = allocation.take(this, FrameUse.CACHE);
            if (pfn < 0) {
                return pfn == PageAllocation.AGAIN ? FaultOutcome.AGAIN : FaultOutcome.KILLED;
            }
            counters.add(VmCounter.PGFAULT, 1);
            counters.add(VmCounter.PGMAJFAULT, 1);
            counters.add(VmCounter.WORKINGSET_REFAULT_FILE, cache.isDropped(file, index) ? 1 : 0);
            cache.insert(file, index, pfn);
            outcome = FaultOutcome.MAJOR;
        } else {
            anonymous.reference(pfn);
        }
        if (!cache.isIntact(pfn)) {
            counters.add(VmCounter.CORRUPTED, 1);
            allocation.events().corruptedFilePage(file, index, pfn);
        }
        return outcome;
    }

    // giving back

    /**
     * Frees an anonymous page, in RAM or swapped out. It is full of zeros when it is next accessed.
     *
     * @return false if there was none
     */
    public boolean free(int page) {
        checkPage(page);
        return anonymous.free(this, page);
    }

    /** The process ends: all its memory is freed. What it is called for after that is a mistake. */
    public void exit() {
        requireNotExited();
        if (life == Life.ALIVE) {
            anonymous.leave(this);
        }
        life = Life.EXITED;
    }

    void kill() {
        anonymous.leave(this);
        life = Life.KILLED;
    }

    private void checkPage(int page) {
        requireNotExited();
        if (page < 0 || page >= places.length) {
            throw new IllegalArgumentException(
                    "no such page: page=" + page + ", pages=" + places.length + ", id=" + id);
        }
    }

    private void requireNotExited() {
        if (life == Life.EXITED) {
            throw new IllegalStateException("the process has ended: id=" + id);
        }
    }

    // looking

    /** What it was made with: the process's number. */
    public int id() {
        return id;
    }

    /** How many pages it could have: they are numbered from 0. */
    public int pages() {
        return places.length;
    }

    /** Anonymous pages in RAM. */
    public int residentPages() {
        return resident;
    }

    /** Anonymous pages in the swap area. */
    public int swappedPages() {
        return swapped;
    }

    /** Anonymous pages, wherever they are. */
    public int anonymousPages() {
        return resident + swapped;
    }

    /** Tells whether a page is in RAM. */
    public boolean isPresent(int page) {
        return places[page] > 0;
    }

    /** Tells whether a page is in the swap area. */
    public boolean isSwapped(int page) {
        return places[page] < 0;
    }

    /** The PFN of a page that is in RAM. */
    public int frameOf(int page) {
        if (!isPresent(page)) {
            throw new IllegalStateException("the page is not in RAM: page=" + page + ", id=" + id);
        }
        return places[page] - 1;
    }

    /** Tells whether it was killed for want of memory. */
    public boolean isKilled() {
        return life == Life.KILLED;
    }

    // the notes of AnonymousPages

    int number() {
        return number;
    }

    void number(int number) {
        this.number = number;
    }

    int slotOf(int page) {
        return -places[page] - 1;
    }

    void present(int page, int pfn) {
        swapped -= isSwapped(page) ? 1 : 0;
        resident++;
        places[page] = pfn + 1;
    }

    void swapped(int page, int slot) {
        resident--;
        swapped++;
        places[page] = -(slot + 1);
    }

    void moved(int page, int pfn) {
        places[page] = pfn + 1;
    }

    void absent(int page) {
        resident -= isPresent(page) ? 1 : 0;
        swapped -= isSwapped(page) ? 1 : 0;
        places[page] = 0;
        versions[page] = 0;
    }
}
