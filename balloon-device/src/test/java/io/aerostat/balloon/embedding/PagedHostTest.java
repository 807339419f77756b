package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.LatchingController;
import io.aerostat.balloon.handler.BalloonCounter;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is special about host (b): what is in the balloon takes no memory. */
final class PagedHostTest {
    /** A machine whose guest has written all of its RAM. */
    private static PagedExample dirtied(int pageBytes) {
        PagedExample example = new PagedExample(pageBytes, Habits.LINUX, new LatchingController());
        example.boot();
        for (int page = 0; page < example.map().pages(); page++) {
            example.bus().store(address(example, page), 8, page);
        }
        return example;
    }

    private static long address(PagedExample example, int page) {
        return example.map().firstPage() + (long) page * GuestMap.PAGE;
    }

    @Test
    void eachPageInTheBalloonIsOnePageLessInUse() {
        PagedExample example = dirtied(GuestMap.PAGE);
        long before = example.machine().pagesInUse();

        example.inflateTo(1000);

        assertEquals(before - 1000, example.machine().pagesInUse());
        for (int i = 0; i < 1000; i++) {
            assertNull(example.machine().pages()[example.guest().balloonedPage(i)]);
        }
        long accepted = example.balloon().counters().get(BalloonCounter.BYTES_ACCEPTED);
        assertEquals(1000L * GuestMap.PAGE, accepted);
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 13, 1 << 14, 1 << 16})
    void largerHostPagesAreGivenBackWhenAllOfThemIsInTheBalloon(int pageBytes) {
        PagedExample example = dirtied(pageBytes);
        long before = example.machine().pagesInUse();
        int guestPages = pageBytes / GuestMap.PAGE;

        // From the end of RAM downwards: ten pages of the host, and one of the guest's.
        example.inflateTo(10L * guestPages + 1);

        assertEquals(before - 10, example.machine().pagesInUse());
        assertEquals(1, example.balloon().incompletePages());
    }

    @Test
    void theGuestFindsZerosInPagesThatCameBackAndMayWriteThem() {
        PagedExample example = dirtied(GuestMap.PAGE);
        int last = example.map().pages() - 1;
        example.inflateTo(100);
        long inflated = example.machine().pagesInUse();

        example.inflateTo(0);

        assertEquals(inflated, example.machine().pagesInUse());
        assertEquals(0, example.bus().load(address(example, last), 8));
        example.bus().store(address(example, last), 8, 0x1234);
        assertEquals(0x1234, example.bus().load(address(example, last), 8));
        assertEquals(inflated + 1, example.machine().pagesInUse());
    }

    @Test
    void whatTheGuestReportsAsFreeIsGivenBackToo() {
        PagedExample example = dirtied(GuestMap.PAGE);
        long before = example.machine().pagesInUse();

        example.guest().report(address(example, 64), 32);
        example.settle();

        assertEquals(before - 64, example.machine().pagesInUse());
        assertEquals(1, example.balloon().counters().get(BalloonCounter.REPORTS));
        assertEquals(0, example.balloon().counters().anomalies());
    }

    @Test
    void whatIsInTheBalloonTakesNoMemoryOnANewMachineEither() {
        PagedExample example = dirtied(GuestMap.PAGE);
        example.inflateTo(1000);
        long[] verified = new long[1];

        PagedExample next = example.successor();
        next.inflateTo(1500);
        next.adapter()
                .registers()
                .controller()
                .execute(() -> verified[0] = next.balloon().ballooned().verifiedBytes());
        next.settle();

        assertEquals(example.machine().pagesInUse() - 500, next.machine().pagesInUse());
        assertEquals(1500L * GuestMap.PAGE, verified[0]);
    }
}
