package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;

/** What the buddy allocator costs on the Java heap: a fixed amount at the start, nothing after. */
final class BuddyAllocatorFootprintTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void allocatesNothingOnTheHeapAfterConstruction() {
        BuddyAllocator allocator = new BuddyAllocator(1000, 100_000);
        int[] pfns = new int[4000];
        // Until the compilers are done: the JVM itself was seen to allocate a few bytes, once, when
        // it replaced the running loop by its compiled form.
        for (int round = 0; round < 300; round++) {
            round(allocator, pfns);
            allocatedBytes();
        }

        long before = allocatedBytes();
        for (int round = 0; round < 500; round++) {
            round(allocator, pfns);
        }
        long after = allocatedBytes();

        assertEquals(0, after - before);
        assertEquals(100_000, allocator.freePages());
    }

    @Test
    void costsAboutAQuarterOfAByteOfHeapAPageFrame() {
        long pages = 1L << 20;
        long warmUp = new BuddyAllocator(0, pages).totalPages();

        long before = allocatedBytes();
        BuddyAllocator allocator = new BuddyAllocator(0, pages);
        long bytes = allocatedBytes() - before;

        assertEquals(warmUp, allocator.totalPages());
        assertTrue(bytes > 0 && bytes < 0.265 * pages, "bytes=" + bytes + ", pages=" + pages);
    }

    /** Blocks of all orders until it is exhausted; then back, the large ones page by page. */
    private static void round(BuddyAllocator allocator, int[] pfns) {
        int count = 0;
        while (count < pfns.length) {
            pfns[count] = allocator.allocate(count % (BuddyAllocator.MAX_ORDER + 1));
            count++;
        }
        for (int block = 0; block < count; block++) {
            int order = block % (BuddyAllocator.MAX_ORDER + 1);
            if (pfns[block] == PageAllocator.NONE) {
                continue;
            }
            if (order == 8) {
                for (int page = 0; page < 1 << order; page++) {
                    allocator.free(pfns[block] + page, 0);
                }
            } else {
                allocator.free(pfns[block], order);
            }
        }
        if (allocator.largestFreeOrder() != BuddyAllocator.MAX_ORDER) {
            throw new AssertionError("not whole again");
        }
    }

    private static long allocatedBytes() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    }
}
