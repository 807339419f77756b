package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.LatchingController;
import io.aerostat.balloon.embedding.machine.LevelController;
import io.aerostat.balloon.embedding.machine.Processor;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.snapshot.SnapshotException;

import org.junit.jupiter.api.Test;

/** What is special about host (a): work in the register write, and a processor that is woken up. */
final class FlatHostTest {
    @Test
    void theKickDoesTheWorkWithoutAnythingElseFromTheHost() {
        FlatExample example = new FlatExample(Habits.LINUX, new LevelController());
        example.boot();
        example.balloon().target(2000);
        example.attendToBalloon();

        Processor alone = new Processor(example.interrupts(), example.guest());
        while (alone.turn()) {}

        assertEquals(2000, example.balloon().ledgerPages());
        assertEquals(2000, example.balloon().actualPages());
    }

    @Test
    void aCommandFromAnotherThreadWakesTheProcessorUp() throws InterruptedException {
        FlatExample example = new FlatExample(Habits.LINUX, new LatchingController());
        example.boot();

        Thread user = new Thread(() -> example.balloon().target(100));
        user.start();
        user.join();
        example.settle();

        assertEquals(100, example.guest().balloonedPages());
    }

    @Test
    void statisticsComeByTheClockIfTheHostsTimerWakesTheProcessorUp() {
        FlatExample example = new FlatExample(Habits.LINUX, new LatchingController());
        example.boot();
        example.balloon().statistics().period(1);
        example.settle();
        long before = example.balloon().counters().get(BalloonCounter.STATISTICS);

        example.machine().wakeUp();
        example.settle();

        assertTrue(example.balloon().counters().get(BalloonCounter.STATISTICS) > before);
    }

    @Test
    void saysSoIfNothingCanBeGivenBack() {
        FlatExample example = new FlatExample(Habits.LINUX, new LevelController());
        example.boot();
        long[] verified = new long[1];

        example.inflateTo(1000);
        example.adapter()
                .registers()
                .controller()
                .execute(() -> verified[0] = example.balloon().ballooned().verifiedBytes());
        example.settle();

        long asked = example.balloon().counters().get(BalloonCounter.BYTES_ASKED);
        assertEquals(1000L * GuestMap.PAGE, asked);
        assertEquals(0, example.balloon().counters().get(BalloonCounter.BYTES_ACCEPTED));
        assertEquals(PageReclaimer.UNKNOWN, verified[0]);
    }

    @Test
    void theLineIsLowAfterAStateWithoutCausesThoughItWasHighBefore() throws SnapshotException {
        FlatExample example = new FlatExample(Habits.LINUX, new LevelController());
        example.boot();
        byte[] quiet = example.adapter().registers().save();
        example.balloon().target(100);
        example.attendToBalloon();
        assertTrue(example.interrupts().isPending());

        example.adapter().registers().restore(quiet);

        assertFalse(example.interrupts().isPending());
    }

    @Test
    void theLineIsLowAfterAResetByTheMachine() {
        FlatExample example = new FlatExample(Habits.LINUX, new LevelController());
        example.boot();
        example.balloon().target(100);
        example.attendToBalloon();

        example.adapter().registers().reset();

        assertFalse(example.interrupts().isPending());
        example.boot();
        assertEquals(100, example.balloon().ledgerPages());
    }
}
