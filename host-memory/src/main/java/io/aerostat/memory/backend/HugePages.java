package io.aerostat.memory.backend;

/**
 * What kind of the host's pages may stand behind guest RAM: madvise(2), mmap(2).
 *
 * <p>Transparent huge pages make touching and giving back of whole huge pages 5 to 20 times
 * cheaper. But giving back less than a huge page only splits it: the host may get the memory much
 * later, and what the kernel reports in between is not what it has. So units of {@value #BYTES}
 * bytes suit them, see {@link BackendOptions#unitBytes()}. With smaller ones the kernel brings what
 * was given back in by itself, within a minute or so: khugepaged makes a huge page again wherever
 * one small page is left ({@code khugepaged/max_ptes_none}). And the first touch of a page in a
 * unit that was given back, be it a read, may bring the whole unit back.
 *
 * <p>Where huge pages may be, RAM is mapped at a multiple of {@value #BYTES} in this process, so
 * that all units are huge pages if the guest's addresses are such multiples too.
 */
public enum HugePages {
    /** Never (MADV_NOHUGEPAGE): each page that is given back is free at once. The default. */
    NEVER,
    /** Transparent ones, as the host's administrator has set it. */
    HOST_POLICY,
    /** Transparent ones where possible (MADV_HUGEPAGE). */
    WANTED,
    /**
     * Only such from the pool that the host's administrator keeps ({@code sysctl vm.nr_hugepages}),
     * for all of the RAM (MAP_HUGETLB, MFD_HUGETLB). Mapping fails if the pool has too few of them.
     *
     * <p>What is given back goes to the pool, not to the host at large. For private memory it takes
     * Linux 5.18, and newer kernels keep those pages for this RAM alone. Pages of a memory file are
     * free for all users of the pool; if these leave none, the next touch is a SIGBUS. So a pool
     * that is shared should hold as many pages as all its users may want at once.
     */
    RESERVED;

    /** Bytes of a huge page. */
    static final int BYTES = 2 << 20;
}
