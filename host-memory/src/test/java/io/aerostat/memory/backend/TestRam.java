package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

/** A backend's RAM in pages as large as its reclaimer's unit, numbered from 0. */
final class TestRam implements AutoCloseable {
    static final long GPA = 0x4000_0000L;

    final MemoryBackend backend;
    final PageReclaimer reclaimer;
    final int unitBytes;

    TestRam(MemoryBackend backend) {
        this.backend = backend;
        this.reclaimer = backend.reclaimer();
        this.unitBytes = reclaimer.granularityBytes();
    }

    long gpa(long page) {
        return GPA + page * unitBytes;
    }

    /**
     * Writes a value into the first and the last eight bytes of each 4 KiB of the pages, so that
     * all of a page is resident whatever pages the host has.
     */
    void touch(long firstPage, long pages) {
        RamAccess access = RamAccess.of(backend.memory(), gpa(firstPage), pages * unitBytes);
        for (long at = 0; at < access.length(); at += RamRegion.PAGE_BYTES) {
            long value = valueOf(firstPage + at / unitBytes);
            access.putLong(at, value);
            access.putLong(at + RamRegion.PAGE_BYTES - Long.BYTES, value);
        }
    }

    boolean holdsItsValue(long page) {
        return holds(page, valueOf(page));
    }

    boolean isZero(long page) {
        RamAccess access = RamAccess.of(backend.memory(), gpa(page), unitBytes);
        for (int offset = 0; offset < unitBytes; offset += Long.BYTES) {
            if (access.getLong(offset) != 0) {
                return false;
            }
        }
        return true;
    }

    boolean isResident(long page) {
        return residentPages(page, 1) == 1;
    }

    long residentPages(long firstPage, long pages) {
        return reclaimer.residentBytes(gpa(firstPage), pages * unitBytes) / unitBytes;
    }

    /** Ranges of pages as pairs of first page and number of pages. */
    PageRanges ranges(long... firstAndCount) {
        PageRanges ranges = new PageRanges(Math.max(1, firstAndCount.length / 2));
        for (int i = 0; i < firstAndCount.length; i += 2) {
            add(ranges, firstAndCount[i], firstAndCount[i + 1]);
        }
        return ranges;
    }

    /** Each second page from page 0 on. */
    PageRanges everySecondPage(int count) {
        PageRanges ranges = new PageRanges(count);
        for (long i = 0; i < count; i++) {
            add(ranges, 2 * i, 1);
        }
        return ranges;
    }

    /** Ranges of guest pages of 4 KiB as pairs of first page and number of pages. */
    PageRanges guestPages(long... firstAndCount) {
        PageRanges ranges = new PageRanges(firstAndCount.length / 2);
        for (int i = 0; i < firstAndCount.length; i += 2) {
            ranges.add(
                    GPA / RamRegion.PAGE_BYTES + firstAndCount[i],
                    Math.toIntExact(firstAndCount[i + 1]));
        }
        return ranges;
    }

    private void add(PageRanges ranges, long firstPage, long pages) {
        int guestPage = RamRegion.PAGE_BYTES;
        ranges.add(gpa(firstPage) / guestPage, Math.toIntExact(pages * (unitBytes / guestPage)));
    }

    private boolean holds(long page, long value) {
        RamAccess access = RamAccess.of(backend.memory(), gpa(page), unitBytes);
        for (long at = 0; at < unitBytes; at += RamRegion.PAGE_BYTES) {
            if (access.getLong(at) != value
                    || access.getLong(at + RamRegion.PAGE_BYTES - Long.BYTES) != value) {
                return false;
            }
        }
        return true;
    }

    private static long valueOf(long page) {
        return 0x5AFE_0000_0000_0001L + page;
    }

    @Override
    public void close() {
        backend.close();
    }
}
