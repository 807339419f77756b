package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.machine.LatchingController;
import io.aerostat.balloon.embedding.stepped.SteppedBalloon;
import io.aerostat.balloon.embedding.stepped.SteppedMachine;
import io.aerostat.balloon.handler.BalloonCounter;

import org.junit.jupiter.api.Test;

import java.io.IOException;

/** What is special about host (c): time goes by in steps, and may be turned back. */
final class SteppedHostTest {
    private static final long SECOND_NS = 1_000_000_000;
    private static final long SLICE_NS =
            (long) SteppedMachine.CYCLES_PER_SLICE * SteppedMachine.NS_PER_CYCLE;

    private static SteppedExample booted() {
        SteppedExample example = new SteppedExample(Habits.LINUX, new LatchingController());
        example.boot();
        return example;
    }

    private static long answers(SteppedExample example) {
        return example.balloon().counters().get(BalloonCounter.STATISTICS);
    }

    @Test
    void nothingHappensBetweenSteps() {
        SteppedExample example = booted();

        example.balloon().target(100);

        assertEquals(0, example.balloon().targetPages());
        assertFalse(example.interrupts().isPending());
        example.runNs(SLICE_NS);
        assertEquals(100, example.balloon().targetPages());
    }

    @Test
    void asksForStatisticsByTheVirtualClock() {
        SteppedExample example = booted();
        long before = answers(example);
        example.balloon().statistics().period(SECOND_NS);

        example.runNs(SECOND_NS / 2);
        assertEquals(before + 1, answers(example));

        example.runNs(3 * SECOND_NS);
        assertEquals(before + 4, answers(example));
    }

    @Test
    void twoMachinesOfTheSamePastHaveTheSameState() {
        SteppedExample one = booted();
        SteppedExample other = booted();

        for (int target : new int[] {700, 300, 1900, 0, 12}) {
            one.inflateTo(target);
            other.inflateTo(target);
        }

        assertArrayEquals(one.state(), other.state());
    }

    @Test
    void aLoadedMachineDoesToItsGuestWhatTheSavedOneDoes() {
        SteppedExample example = booted();
        example.balloon().target(2000);
        example.runNs(3 * SLICE_NS);

        SteppedExample next = example.successor();
        example.runNs(SECOND_NS / 10);
        next.runNs(SECOND_NS / 10);

        assertEquals(2000, example.balloon().ledgerPages());
        assertArrayEquals(example.machine().ram(), next.machine().ram());
        assertEquals(example.machine().cycles(), next.machine().cycles());
    }

    @Test
    void timeMayBeTurnedBack() {
        SteppedExample example = booted();
        example.balloon().statistics().period(SECOND_NS);
        example.inflateTo(400);
        byte[] past = example.state();
        example.inflateTo(2000);
        example.runNs(5 * SECOND_NS);

        example.load(past);

        assertEquals(400, example.balloon().ledgerPages());
        example.inflateTo(500);
        assertEquals(500, example.guest().balloonedPages());
        assertEquals(500, example.balloon().actualPages());
        long before = answers(example);
        example.runNs(2 * SECOND_NS);
        assertEquals(before + 2, answers(example));
        assertEquals(0, example.balloon().counters().anomalies());
    }

    @Test
    void aDamagedStateIsRefusedAndChangesNothing() {
        SteppedExample example = booted();
        example.inflateTo(300);
        SteppedBalloon balloon = example.adapter();
        byte[] state = balloon.saveState();
        byte[] damaged = state.clone();
        damaged[damaged.length / 2] ^= 1;

        assertThrows(IOException.class, () -> balloon.loadState(damaged));

        assertArrayEquals(state, balloon.saveState());
        example.inflateTo(0);
        assertEquals(0, example.guest().balloonedPages());
    }
}
