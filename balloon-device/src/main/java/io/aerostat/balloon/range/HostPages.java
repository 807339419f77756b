package io.aerostat.balloon.range;

import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Puts together the host's pages where they are larger than the balloon's: which of them are wholly
 * in the balloon, and which break up again.
 *
 * <pre>
 *   host pages     [   0   ][   1   ][   2   ][   3   ]
 *   in before       ■■        ■■■■■                         of earlier requests
 *   new                ■■■■■■■      ■■■■■■■■                of this one
 *   completed      [===============][========]
 * </pre>
 *
 * <p>Across requests only if the driver took MUST_TELL_HOST: otherwise the content of a page must
 * not change any more once its inflate request is confirmed (VIRTIO 1.4, 5.5.6.2), and only what is
 * new may be discarded. A host page with a protected page in it, or that reaches out of its RAM
 * region, is never complete.
 *
 * <p>One thread's; allocates nothing after construction.
 */
public final class HostPages {
    /** Of the largest host page that any host has: a gigabyte. */
    private static final int MAX_UNIT_PAGES = 1 << 18;

    private final GuestMemory memory;
    private final PageLedger ledger;
    private final ProtectedPages protectedPages;
    private final int unitPages;
    private final PageRanges whole;

    /** The pages of complete host pages, each of which was told once. */
    private final PageLedger complete;

    private boolean acrossRequests;
    private long newlyComplete;

    /**
     * @param ledger what is in the balloon
     * @param unitBytes bytes of a host page, a power of two from 4096 up
     * @param capacity most ranges that are asked about at a time
     */
    public HostPages(
            GuestMemory memory,
            PageLedger ledger,
            ProtectedPages protectedPages,
            int unitBytes,
            int capacity) {
        if (unitBytes < PageFrame.BYTES || Integer.bitCount(unitBytes) != 1) {
            throw new IllegalArgumentException(
                    "granularity must be a power of two from 4096 up: granularityBytes="
                            + unitBytes);
        }
        this.memory = memory;
        this.ledger = ledger;
        this.protectedPages = protectedPages;
        this.unitPages = unitBytes >>> PageFrame.SHIFT;
        this.whole = new PageRanges(capacity);
        this.complete = new PageLedger(memory);
    }

    /** Tells whether host pages may be put together from several requests from now on. */
    public void acrossRequests(boolean allowed) {
        acrossRequests = allowed;
    }

    /** Balloon pages in a host page. */
    public int unitPages() {
        return unitPages;
    }

    /**
     * The host pages that {@code added} completes, as ranges of whole ones. They may be discarded.
     *
     * @param added ascending, apart, and in the ledger already
     * @return valid until the next call of any method that returns ranges
     */
    public PageRanges completedBy(PageRanges added) {
        if (unitPages == 1) {
            return added;
        }
        whole.clear();
        newlyComplete = 0;
        long next = 0;
        for (int i = 0; i < added.count(); i++) {
            long first = added.pfn(i);
            long end = first + added.pages(i);
            // A host page that the range before has part in was looked at with that range.
            long from = alignDown(first);
            if (from < next || (from < first && !isWhole(from))) {
                from += unitPages;
            }
            long to = alignDown(end);
            if (to < end && to >= from && isWhole(to)) {
                to += unitPages;
            }
            if (from < to) {
                whole.add(from, (int) (to - from));
                newlyComplete += complete.add(from, to - from) / unitPages;
                next = to;
            }
        }
        return whole;
    }

    /**
     * How many host pages {@link #completedBy} found that were not complete before; 0 where they
     * are no larger than the balloon's.
     */
    public long newlyComplete() {
        return newlyComplete;
    }

    /**
     * The whole host pages inside {@code pages}, whatever the balloon has.
     *
     * @return valid until the next call of any method that returns ranges
     */
    public PageRanges inside(PageRanges pages) {
        if (unitPages == 1) {
            return pages;
        }
        whole.clear();
        for (int i = 0; i < pages.count(); i++) {
            long from = alignDown(pages.pfn(i) + unitPages - 1);
            long to = alignDown(pages.pfn(i) + pages.pages(i));
            if (from < to) {
                whole.add(from, (int) (to - from));
            }
        }
        return whole;
    }

    /**
     * Pages have left the balloon.
     *
     * @param removed in one region each
     * @return how many host pages were complete and are no longer
     */
    public long brokenUpBy(PageRanges removed) {
        if (unitPages == 1 || complete.count() == 0) {
            return 0;
        }
        long before = complete.count();
        for (int i = 0; i < removed.count(); i++) {
            long end = removed.pfn(i) + removed.pages(i);
            for (long unit = alignDown(removed.pfn(i)); unit < end; unit += unitPages) {
                if (complete.contains(unit)) {
                    complete.remove(unit, unitPages);
                }
            }
        }
        return (before - complete.count()) / unitPages;
    }

    /** Pages of the balloon whose host page is not wholly in it, or must stay. */
    public long incompletePages() {
        return unitPages == 1 ? 0 : ledger.count() - complete.count();
    }

    /** All pages have left the balloon. */
    public void clear() {
        complete.clear();
    }

    /** Writes which host pages are complete. */
    public void save(SnapshotWriter out) {
        out.writeInt(unitPages);
        if (unitPages > 1) {
            complete.save(out);
        }
    }

    /**
     * Reads what {@link #save} wrote, and changes nothing. On a host whose pages have another size
     * those are complete that are wholly in the balloon.
     *
     * @return makes this like the saved one, when the ledger is restored
     */
    public Runnable prepareRestore(SnapshotReader in) throws SnapshotException {
        int savedUnit = in.readInt("unitPages", 1, MAX_UNIT_PAGES);
        PageLedger saved = new PageLedger(memory);
        if (savedUnit > 1) {
            saved.prepareRestore(in).run();
        }
        if (savedUnit != unitPages) {
            return this::findComplete;
        }
        boolean[] whole = {true};
        saved.forEachRange((pfn, pages) -> whole[0] &= (pfn | pages) % unitPages == 0);
        if (!whole[0]) {
            throw SnapshotException.impossible("completePages", saved.count());
        }
        return () -> {
            complete.clear();
            saved.forEachRange(this::completeWhereBallooned);
        };
    }

    /** Of damaged bytes the ledger may say something else. */
    private void completeWhereBallooned(long pfn, long pages) {
        for (long unit = pfn; unit < pfn + pages; unit += unitPages) {
            if (ledger.containsAll(unit, unitPages)) {
                complete.add(unit, unitPages);
            }
        }
    }

    private void findComplete() {
        complete.clear();
        ledger.forEachRange(
                (pfn, pages) -> {
                    long from = alignDown(pfn + unitPages - 1);
                    long to = alignDown(pfn + pages);
                    if (unitPages > 1 && from < to) {
                        complete.add(from, to - from);
                    }
                });
    }

    private boolean isWhole(long unit) {
        long end = unit + unitPages;
        return acrossRequests
                && ledger.containsAll(unit, unitPages)
                && protectedPages.nextProtected(unit, end) == end;
    }

    private long alignDown(long pfn) {
        return pfn & -unitPages;
    }
}
