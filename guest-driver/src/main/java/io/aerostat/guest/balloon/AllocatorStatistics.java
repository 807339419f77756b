package io.aerostat.guest.balloon;

import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.spec.balloon.StatTag;

import java.util.function.LongSupplier;

/**
 * What a driver can tell of its guest's memory from the page allocator alone: how much there is,
 * how much is free, and that just this is available.
 */
final class AllocatorStatistics implements StatisticsSource {
    private final GuestPages pages;
    private final LongSupplier missingPages;

    /**
     * @param missingPages page frames of the allocator that are no memory of the guest for now
     */
    AllocatorStatistics(GuestPages pages, LongSupplier missingPages) {
        this.pages = pages;
        this.missingPages = missingPages;
    }

    @Override
    public void collect(StatisticsBuffer into) {
        long freeBytes = pages.freePages() << PageFrame.SHIFT;
        long totalPages = pages.totalPages() - missingPages.getAsLong();
        into.put(StatTag.MEMFREE, freeBytes);
        into.put(StatTag.MEMTOT, totalPages << PageFrame.SHIFT);
        into.put(StatTag.AVAIL, freeBytes);
    }
}
