package io.aerostat.guest.model;

import io.aerostat.guest.balloon.StatisticsBuffer;
import io.aerostat.guest.balloon.StatisticsSource;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.spec.balloon.StatTag;

import java.util.function.LongSupplier;

/**
 * What the guest tells the host of its memory: its own figures and counts, none invented. It has no
 * huge pages, and says nothing of them.
 */
final class NodeStatistics implements StatisticsSource {
    private final MemoryNode node;
    private final LongSupplier missingPages;

    /**
     * @param missingPages pages that are the balloon's and do not count as the guest's memory
     */
    NodeStatistics(MemoryNode node, LongSupplier missingPages) {
        this.node = node;
        this.missingPages = missingPages;
    }

    @Override
    public void collect(StatisticsBuffer into) {
        into.put(StatTag.SWAP_IN, bytes(count(VmCounter.PSWPIN)));
        into.put(StatTag.SWAP_OUT, bytes(count(VmCounter.PSWPOUT)));
        into.put(StatTag.MAJFLT, count(VmCounter.PGMAJFAULT));
        into.put(StatTag.MINFLT, node.minorFaults());
        into.put(StatTag.MEMFREE, bytes(node.freePages()));
        into.put(StatTag.MEMTOT, bytes(node.totalPages() - missingPages.getAsLong()));
        into.put(StatTag.AVAIL, bytes(node.availablePages()));
        into.put(StatTag.CACHES, bytes(node.cachePages()));
        into.put(StatTag.OOM_KILL, count(VmCounter.OOM_KILL));
        into.put(StatTag.ALLOC_STALL, count(VmCounter.ALLOCSTALL_NORMAL));
        into.put(StatTag.ASYNC_SCAN, bytes(count(VmCounter.PGSCAN_KSWAPD)));
        into.put(StatTag.DIRECT_SCAN, bytes(count(VmCounter.PGSCAN_DIRECT)));
        into.put(StatTag.ASYNC_RECLAIM, bytes(count(VmCounter.PGSTEAL_KSWAPD)));
        into.put(StatTag.DIRECT_RECLAIM, bytes(count(VmCounter.PGSTEAL_DIRECT)));
    }

    private long count(VmCounter counter) {
        return node.counters().get(counter);
    }

    private static long bytes(long pages) {
        return pages << PageFrame.SHIFT;
    }
}
