package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

/** A backend's RAM in host pages, numbered from 0. */
final class TestRam implements AutoCloseable {
    static final long GPA = 0x4000_0000L;

    final MemoryBackend backend;
    final PageReclaimer reclaimer;
    final int pageBytes;

    TestRam(MemoryBackend backend) {
        this.backend = backend;
        this.reclaimer = backend.reclaimer();
        this.pageBytes = reclaimer.granularityBytes();
    }

    long gpa(long page) {
        return GPA + page * pageBytes;
    }

    /** Writes a value into the first and the last eight bytes of each of the pages. */
    void touch(long firstPage, long pages) {
        RamAccess access = RamAccess.of(backend.memory(), gpa(firstPage), pages * pageBytes);
        for (long i = 0; i < pages; i++) {
            access.putLong(i * pageBytes, valueOf(firstPage + i));
            access.putLong((i + 1) * pageBytes - Long.BYTES, valueOf(firstPage + i));
        }
    }

    boolean holdsItsValue(long page) {
        return holds(page, valueOf(page));
    }

    boolean isZero(long page) {
        RamAccess access = RamAccess.of(backend.memory(), gpa(page), pageBytes);
        for (int offset = 0; offset < pageBytes; offset += Long.BYTES) {
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
        return reclaimer.residentBytes(gpa(firstPage), pages * pageBytes) / pageBytes;
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

    private void add(PageRanges ranges, long firstPage, long pages) {
        int unit = RamRegion.PAGE_BYTES;
        ranges.add(gpa(firstPage) / unit, Math.toIntExact(pages * (pageBytes / unit)));
    }

    private boolean holds(long page, long value) {
        RamAccess access = RamAccess.of(backend.memory(), gpa(page), pageBytes);
        return access.getLong(0) == value && access.getLong(pageBytes - Long.BYTES) == value;
    }

    private static long valueOf(long page) {
        return 0x5AFE_0000_0000_0001L + page;
    }

    @Override
    public void close() {
        backend.close();
    }
}
