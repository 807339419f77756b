package io.aerostat.memory.backend;

/**
 * Whether transparent huge pages may stand behind guest RAM: madvise(2).
 *
 * <p>They make touching and giving back of whole huge pages 5 to 20 times cheaper. But giving back
 * 4 KiB of a huge page only splits it: the host may get the memory much later, and what the kernel
 * reports in between is not what it has.
 */
public enum HugePages {
    /** Never (MADV_NOHUGEPAGE): each page that is given back is free at once. The default. */
    NEVER,
    /** As the host's administrator has set it. */
    HOST_POLICY,
    /** Where possible (MADV_HUGEPAGE). */
    WANTED
}
