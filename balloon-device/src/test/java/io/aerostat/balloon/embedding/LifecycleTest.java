package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.embedding.guest.BalloonProgram;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.guest.VirtioMmio;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.StatTag;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every host gets: a balloon from the first page to the last, over a change of machines. */
final class LifecycleTest {
    private static final int LINUX_PAGES = BalloonProgram.PAGES_PER_REQUEST;

    private static void assertBallooned(long pages, Example example) {
        assertEquals(pages, example.guest().balloonedPages(), "the guest's count");
        assertEquals(pages, example.balloon().actualPages(), "actual");
        assertEquals(pages, example.balloon().ledgerPages(), "the ledger");
        assertEquals(0, example.balloon().counters().anomalies(), "anomalies");
    }

    @ParameterizedTest
    @EnumSource
    void negotiatesWhatTheGuestTakes(Examples kind) {
        Example example = kind.make();

        example.boot();

        assertEquals(Habits.LINUX.features(), example.guest().features());
        assertEquals(Habits.LINUX.features(), example.balloon().negotiatedFeatures());
    }

    @ParameterizedTest
    @EnumSource
    void inflatesToTheTargetAndDeflatesToNothing(Examples kind) {
        Example example = kind.make();
        example.boot();

        example.inflateTo(1000);
        assertBallooned(1000, example);
        assertEquals(4, example.guest().requests());

        example.inflateTo(0);
        assertBallooned(0, example);
        assertEquals(8, example.guest().requests());
    }

    @ParameterizedTest
    @EnumSource
    void reachesATargetThatWasThereBeforeTheGuest(Examples kind) {
        Example example = kind.make();
        example.balloon().target(300);

        example.boot();

        assertBallooned(300, example);
    }

    @ParameterizedTest
    @EnumSource
    void getsWhatTheGuestCanGiveIfTheTargetIsMoreThanThat(Examples kind) {
        Example example = kind.make();
        example.boot();

        example.inflateTo(Example.RAM_BYTES / GuestMap.PAGE);

        assertBallooned(example.map().pages(), example);
    }

    @ParameterizedTest
    @EnumSource
    void getsTheGuestsStatistics(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.inflateTo(500);

        example.balloon().statistics().request();
        example.settle();

        GuestStatistics latest = example.balloon().statistics().latest().orElseThrow();
        long totalBytes = (long) example.map().pages() * GuestMap.PAGE;
        assertEquals(totalBytes, latest.value(StatTag.MEMTOT).orElseThrow());
        long freeBytes = totalBytes - 500L * GuestMap.PAGE;
        assertEquals(freeBytes, latest.value(StatTag.MEMFREE).orElseThrow());
        assertEquals(0, example.balloon().counters().anomalies());
    }

    @ParameterizedTest
    @EnumSource
    void goesOnOnANewMachine(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.inflateTo(600);

        Example next = example.successor();
        assertBallooned(600, next);

        next.inflateTo(1500);
        assertBallooned(1500, next);
        next.balloon().statistics().request();
        next.settle();
        assertTrue(next.balloon().statistics().latest().isPresent());
        next.inflateTo(0);
        assertBallooned(0, next);
        assertBallooned(600, example);
    }

    @ParameterizedTest
    @EnumSource
    void aCallThatTheProcessorHadNotTakenIsThereOnTheNewMachine(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.inflateTo(100);
        example.balloon().target(900);
        example.attendToBalloon();
        assertTrue(example.interrupts().isPending());

        Example next = example.successor();

        assertTrue(next.interrupts().isPending());
        next.settle();
        assertBallooned(900, next);
    }

    @ParameterizedTest
    @EnumSource
    void noCallComesOfARestoreIfNoneWasThere(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.inflateTo(100);
        assertFalse(example.interrupts().isPending());

        Example next = example.successor();
        next.attendToBalloon();

        assertFalse(next.interrupts().isPending());
    }

    @ParameterizedTest
    @EnumSource
    void aRequestThatWasOnItsWayArrivesOnTheNewMachine(Examples kind) {
        Example example = kind.make();
        example.boot();
        Example[] next = new Example[1];
        example.balloon().target(LINUX_PAGES);
        example.bus().beforeStoreTo(VirtioMmio.QUEUE_NOTIFY, () -> next[0] = example.successor());

        example.settle();
        next[0].settle();

        // Its processor was in the middle of the kick: the new machine's kick is the restore.
        assertEquals(LINUX_PAGES, next[0].balloon().ledgerPages());
        assertBallooned(LINUX_PAGES, example);
    }

    @ParameterizedTest
    @EnumSource
    void startsAnewWithANewGuest(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.inflateTo(700);
        example.balloon().target(200);

        example.boot();

        assertBallooned(200, example);
        long returned = example.balloon().counters().get(BalloonCounter.PAGES_RETURNED_BY_RESET);
        assertEquals(700, returned);
    }
}
