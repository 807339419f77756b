package io.aerostat.guest.mm;

import io.aerostat.guest.mm.frame.FrameSource;
import io.aerostat.guest.mm.frame.FrameTable;
import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.LruList;
import io.aerostat.guest.mm.frame.PageContent;

import java.util.Arrays;

/**
 * Pages of files, as long as there is room for them. All are clean: a file's content follows from
 * its number, the page's place and the seed, and is "read from disk" by being computed.
 *
 * <p>A page that is read for the first time is cold; one that is read again, or was dropped too
 * early and had to be read anew, gets a second chance when its turn to be dropped comes.
 */
final class PageCache {
    private static final int NEVER_READ = -1;
    private static final int DROPPED = -2;

    private final FrameTable frames;
    private final FrameSource source;
    private final LruList lru;
    private final long seed;

    /** For each file and page: the PFN, or NEVER_READ, or DROPPED. */
    private final int[][] pages;

    PageCache(FrameTable frames, FrameSource source, MemoryOptions options) {
        this.frames = frames;
        this.source = source;
        this.lru = new LruList(frames);
        this.seed = PageContent.key(options.seed(), 1, 0, 0);
        this.pages = new int[options.files()][options.pagesPerFile()];
        for (int[] file : pages) {
            Arrays.fill(file, NEVER_READ);
        }
    }

    /** The frame that holds a page, or a negative number. */
    int frameOf(int file, int index) {
        if (file < 0 || file >= pages.length || index < 0 || index >= pages[file].length) {
            throw new IllegalArgumentException(
                    "no such page of a file: file=" + file + ", index=" + index);
        }
        return pages[file][index];
    }

    boolean isDropped(int file, int index) {
        return pages[file][index] == DROPPED;
    }

    /** Reads a page into a frame that was taken for it. */
    void insert(int file, int index, int pfn) {
        boolean refault = isDropped(file, index);
        frames.assign(pfn, FrameUse.CACHE, file, index);
        PageContent.fill(frames.map(pfn), key(file, index));
        if (refault) {
            frames.reference(pfn);
        }
        pages[file][index] = pfn;
        lru.add(pfn);
    }

    boolean isIntact(int pfn) {
        return PageContent.matches(frames.map(pfn), key(frames.owner(pfn), frames.index(pfn)));
    }

    /**
     * Drops the oldest page, unless it was read again meanwhile.
     *
     * @return false if it was, and is the newest now
     */
    boolean dropOldest() {
        int pfn = lru.oldest();
        lru.remove(pfn);
        if (frames.testAndClearReferenced(pfn)) {
            lru.add(pfn);
            return false;
        }
        pages[frames.owner(pfn)][frames.index(pfn)] = DROPPED;
        source.give(pfn, 0);
        return true;
    }

    /** Moves a page to another frame. */
    void move(int from, int to) {
        frames.copy(from, to);
        lru.replace(from, to);
        pages[frames.owner(to)][frames.index(to)] = to;
    }

    int size() {
        return lru.size();
    }

    private long key(int file, int index) {
        return PageContent.key(seed, file, index, 0);
    }
}
