package io.aerostat.balloon.embedding.guest;

import io.aerostat.balloon.embedding.machine.Bus;

/**
 * The guest's free pages, and those in the balloon: one table of page numbers in RAM, the balloon's
 * in front. Last in, first out.
 */
final class PagePool {
    private static final int BALLOONED = 0;
    private static final int TOTAL = 4;
    private static final int PAGE_SHIFT = 12;

    private final Bus bus;
    private final GuestMap map;
    private final long variables;

    PagePool(Bus bus, GuestMap map, long variables) {
        this.bus = bus;
        this.map = map;
        this.variables = variables;
    }

    /** All pages of RAM that are not the program's own, the highest first. */
    void setUp() {
        int pages = map.pages();
        int last = (int) (map.firstPage() >>> PAGE_SHIFT) + pages - 1;
        for (int i = 0; i < pages; i++) {
            entry(i, last - i);
        }
        bus.store(variables + BALLOONED, 4, 0);
        bus.store(variables + TOTAL, 4, pages);
    }

    /** More RAM: its pages go into the balloon before all others that are free. */
    void add(long address, int pages) {
        int total = total();
        int ballooned = ballooned();
        if (total + pages > map.pageTableLength()) {
            throw new IllegalStateException("no room for more pages: pages=" + pages);
        }
        for (int i = 0; i < pages; i++) {
            entry(total + i, entry(ballooned + i));
            entry(ballooned + i, (int) (address >>> PAGE_SHIFT) + i);
        }
        bus.store(variables + TOTAL, 4, total + pages);
    }

    int total() {
        return (int) bus.load(variables + TOTAL, 4);
    }

    int ballooned() {
        return (int) bus.load(variables + BALLOONED, 4);
    }

    void ballooned(int pages) {
        bus.store(variables + BALLOONED, 4, pages);
    }

    int entry(int index) {
        return (int) bus.load(map.pageTable() + 4L * index, 4);
    }

    private void entry(int index, int pfn) {
        bus.store(map.pageTable() + 4L * index, 4, pfn);
    }
}
