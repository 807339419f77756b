package io.aerostat.guest.mm.frame;

import java.util.Locale;

/**
 * Everything that the memory manager counts since it was made. Pages, unless it says otherwise.
 * Names are those of {@code /proc/vmstat}, but for the last three, which it doesn't have.
 */
public enum VmCounter {
    /** Page frames handed out. */
    PGALLOC_NORMAL,
    /** Page frames taken back. */
    PGFREE,
    /** Faults, major and minor. */
    PGFAULT,
    /** Faults that had to wait for a disk. */
    PGMAJFAULT,
    /** Read in from the swap area. */
    PSWPIN,
    /** Written out to the swap area. */
    PSWPOUT,
    /** Looked at by background reclaim. */
    PGSCAN_KSWAPD,
    /** Looked at by those who wanted memory themselves. */
    PGSCAN_DIRECT,
    /** Reclaimed in the background. */
    PGSTEAL_KSWAPD,
    /** Reclaimed by those who wanted memory themselves. */
    PGSTEAL_DIRECT,
    /** How often background reclaim was woken. */
    PAGEOUTRUN,
    /** How often somebody had to reclaim before getting a page. */
    ALLOCSTALL_NORMAL,
    /** Processes killed because there was no memory. */
    OOM_KILL,
    /** File pages read again after they had been dropped. */
    WORKINGSET_REFAULT_FILE,
    /** Anonymous pages read again after they had been swapped out. */
    WORKINGSET_REFAULT_ANON,
    /** Moved to another frame by compaction; those that their owner moves are the owner's count. */
    PGMIGRATE_SUCCESS,
    /** Could not be moved: no frame to go to, or their owner refused. */
    PGMIGRATE_FAIL,
    /** How often compaction made a block. */
    COMPACT_SUCCESS,
    /** How often it gave up. */
    COMPACT_FAIL,
    /** How often relief was asked for before a process was killed. */
    OOM_RELIEF,
    /** Pages that relief promised; those on their way are promised to each who asks. */
    OOM_RELIEF_PAGES,
    /** Pages whose content was not what had been written. */
    CORRUPTED;

    /** The name as a line of {@code /proc/vmstat} begins. */
    public String vmstatName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
