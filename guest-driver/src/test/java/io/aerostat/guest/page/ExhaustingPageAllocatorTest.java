package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

/** The double runs out on command, and only then. */
final class ExhaustingPageAllocatorTest {

    private final ExhaustingPageAllocator allocator =
            new ExhaustingPageAllocator(new BuddyAllocator(0, 64));

    @Test
    void refusesAfterItsAllowanceAlthoughPagesAreFree() {
        allocator.refuseAfter(2);

        int first = allocator.allocate(0);
        assertNotEquals(PageAllocator.NONE, first);
        assertNotEquals(PageAllocator.NONE, allocator.allocate(0));
        assertEquals(PageAllocator.NONE, allocator.allocate(0));
        allocator.free(first, 0);

        assertEquals(PageAllocator.NONE, allocator.allocate(0));
        assertEquals(PageAllocator.NONE, allocator.largestFreeOrder());
        assertEquals(63, allocator.freePages());
    }

    @Test
    void aRefusedOrderDoesNotUseTheAllowance() {
        allocator.refuseAfter(1);
        allocator.refuseAbove(0);

        assertEquals(PageAllocator.NONE, allocator.allocate(3));
        assertEquals(0, allocator.largestFreeOrder());
        assertNotEquals(PageAllocator.NONE, allocator.allocate(0));
    }
}
