package io.aerostat.guest.mm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.guest.mm.frame.FrameUse;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.mm.frame.Watermarks;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.virtio.testkit.GuestRam;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A guest's memory on real RAM, with a log of what it reports. */
final class MemoryRig implements MemoryEvents {
    static final int FIRST_PFN = (int) (GuestRam.DEFAULT_BASE >> 12);

    final GuestRam ram;
    final BuddyAllocator allocator;
    final MemoryNode node;
    final List<String> events = new ArrayList<>();

    MemoryRig(int pages, MemoryOptions options) {
        this(GuestRam.Kind.DIRECT_BUFFER, pages, options);
    }

    MemoryRig(GuestRam.Kind kind, int pages, MemoryOptions options) {
        ram = GuestRam.of(kind, pages * GuestRam.PAGE);
        allocator = new BuddyAllocator(FIRST_PFN, pages);
        node = new MemoryNode(ram.memory(), allocator, options);
        node.useEvents(this);
    }

    /** No swap, no files, and watermarks of 4, 8 and 16 pages. */
    static MemoryOptions options() {
        return MemoryOptions.DEFAULT.withWatermarks(new Watermarks(4, 8, 16));
    }

    long count(VmCounter counter) {
        return node.counters().get(counter);
    }

    /** Accesses pages 0 to {@code pages} - 1 of a new process, and writes them. */
    AddressSpace written(int id, int pages) {
        AddressSpace space = node.newAddressSpace(id, pages);
        for (int page = 0; page < pages; page++) {
            space.write(page);
        }
        return space;
    }

    /** Every page of the allocator has exactly one use, and the figures say which. */
    void assertConserved(String where) {
        Map<FrameUse, Long> uses = new EnumMap<>(FrameUse.class);
        long total = allocator.totalPages();
        for (int pfn = FIRST_PFN; pfn < FIRST_PFN + total; pfn++) {
            uses.merge(node.useOf(pfn), 1L, Long::sum);
        }
        assertEquals(uses.getOrDefault(FrameUse.FREE, 0L), allocator.freePages(), where);
        assertEquals(uses.getOrDefault(FrameUse.FREE, 0L), node.freePages(), where);
        assertEquals(uses.getOrDefault(FrameUse.ISOLATED, 0L), node.isolatedPages(), where);
        assertEquals(uses.getOrDefault(FrameUse.CACHE, 0L), node.cachePages(), where);
        assertEquals(uses.getOrDefault(FrameUse.ANONYMOUS, 0L), node.anonymousPages(), where);
        assertEquals(uses.getOrDefault(FrameUse.BALLOON, 0L), node.balloonedPages(), where);
        assertEquals(uses.getOrDefault(FrameUse.RESERVED, 0L), node.reservedPages(), where);
    }

    @Override
    public void outOfMemoryKill(AddressSpace victim, long residentPages, long swappedPages) {
        events.add("killed " + victim.id() + " " + residentPages + "+" + swappedPages);
    }

    @Override
    public void corruptedPage(AddressSpace space, int page, int pfn) {
        events.add("corrupted " + space.id() + ":" + page);
    }

    @Override
    public void corruptedFilePage(int file, int index, int pfn) {
        events.add("corrupted file " + file + ":" + index);
    }
}
