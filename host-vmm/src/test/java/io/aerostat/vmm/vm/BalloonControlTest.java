package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reached;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Refused;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;
import io.aerostat.vmm.vm.SetMemoryOutcome.Superseded;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What a host asks of a balloon that comes late, goes, and comes again. */
final class BalloonControlTest {
    private static final Duration DEADLINE = Duration.ofMillis(100);

    private final Machine first = new Machine().booted();
    private final Machine second = new Machine().booted();
    private final Deque<Runnable> mailbox = new ArrayDeque<>();
    private final BalloonControl control =
            new BalloonControl(mailbox::add, first::nowNs, Machine.FLOOR);

    @AfterEach
    void close() {
        first.vm.close();
        second.vm.close();
    }

    private static BalloonControl.Attached balloonOf(Machine machine) {
        return new BalloonControl.Attached(
                Machine.MAXIMUM, machine.balloon(), () -> DriverState.UP);
    }

    private void runFor(int ms) {
        for (int i = 0; i < ms; i++) {
            while (!mailbox.isEmpty()) {
                mailbox.remove().run();
            }
            first.step();
            second.step();
            control.check(first.nowNs());
        }
    }

    private CompletableFuture<SetMemoryOutcome> ask(GuestSize size) {
        return control.setMemory(size, DEADLINE);
    }

    @Test
    void aSizeThatWasAskedBeforeIsWorkedOutWhenTheBalloonComes() {
        CompletableFuture<SetMemoryOutcome> outcome = ask(Machine.HALF);
        runFor(5);
        assertFalse(outcome.isDone());

        control.attach(balloonOf(first));
        runFor(20);

        assertInstanceOf(Reached.class, outcome.join());
        assertEquals(Machine.HALF.pages(), first.balloon().ledgerPages());
    }

    @Test
    void aSizeStandsBeyondItsDeadlineForABalloonThatComesLater() {
        CompletableFuture<SetMemoryOutcome> outcome = ask(Machine.HALF);
        runFor(110);
        assertEquals(new Stalled(Reason.NO_GUEST), outcome.join());

        control.attach(balloonOf(first));
        runFor(20);

        assertEquals(Machine.HALF.pages(), first.balloon().ledgerPages());
        assertEquals(Optional.of(Machine.HALF), control.wanted());
    }

    @Test
    void theNextBalloonKeepsAPromiseThatTheLastOneDidNot() {
        control.attach(balloonOf(first));
        CompletableFuture<SetMemoryOutcome> outcome = ask(Machine.HALF);
        mailbox.remove().run();

        control.detach();
        assertEquals(Optional.empty(), control.attached());
        control.attach(balloonOf(second));
        runFor(20);

        assertInstanceOf(Reached.class, outcome.join());
        assertEquals(Machine.HALF.pages(), second.balloon().ledgerPages());
    }

    @Test
    void moreThanAllOfTheRamIsAllOfIt() {
        control.attach(balloonOf(first));
        var _ = ask(Machine.HALF);
        runFor(20);

        CompletableFuture<SetMemoryOutcome> outcome = ask(new GuestSize(1L << 40));
        runFor(20);

        assertEquals(new Reached(new BalloonSize(0)), outcome.join());
    }

    @Test
    void refusesLessThanTheFloorAtOnceAndKeepsTheTarget() {
        control.attach(balloonOf(first));
        var _ = ask(Machine.HALF);
        runFor(20);

        CompletableFuture<SetMemoryOutcome> outcome = ask(new GuestSize(4096));

        assertEquals(new Refused(Reason.BELOW_FLOOR), outcome.join());
        assertEquals(Optional.of(Machine.HALF), control.wanted());
    }

    @Test
    void aLaterSizeSupersedesOneThatWaitsForAGuest() {
        CompletableFuture<SetMemoryOutcome> early = ask(Machine.HALF);
        CompletableFuture<SetMemoryOutcome> late = ask(Machine.MAXIMUM);
        runFor(1);

        assertEquals(new Superseded(), early.join());
        assertFalse(late.isDone());
    }

    @Test
    void statisticsOfABalloonThatGoesAreUnanswered() {
        control.attach(balloonOf(first));
        CompletableFuture<StatisticsOutcome> asked = control.statistics(DEADLINE);
        mailbox.remove().run();

        control.detach();

        assertEquals(
                new StatisticsOutcome.Unanswered(StatisticsOutcome.Reason.NO_GUEST), asked.join());
        assertEquals(Optional.empty(), control.latestStatistics());
    }

    @Test
    void aPeriodOfStatisticsIsKeptForTheNextBalloon() {
        control.statisticsPeriod(Duration.ofMillis(10));
        runFor(1);
        long before = second.balloon().counters().get(BalloonCounter.STATISTICS);

        control.attach(balloonOf(second));
        runFor(100);

        long answers = second.balloon().counters().get(BalloonCounter.STATISTICS) - before;
        assertTrue(answers >= 5, "answers=" + answers);
        assertEquals(Duration.ofMillis(10), control.statisticsPeriod());
        assertTrue(control.statisticsAge().orElseThrow().toMillis() <= 12);
    }

    @Test
    void whatWaitsAtTheEndEndsAndWhatComesLaterEndsAtOnce() {
        control.attach(balloonOf(first));
        CompletableFuture<SetMemoryOutcome> size = ask(new GuestSize(16L << 20));
        CompletableFuture<StatisticsOutcome> figures = control.statistics(DEADLINE);
        while (!mailbox.isEmpty()) {
            mailbox.remove().run();
        }

        control.close();

        assertEquals(new Stalled(Reason.CLOSED), size.join());
        StatisticsOutcome closed =
                new StatisticsOutcome.Unanswered(StatisticsOutcome.Reason.CLOSED);
        assertEquals(closed, figures.join());
        assertEquals(new Stalled(Reason.CLOSED), ask(Machine.HALF).join());
        assertEquals(closed, control.statistics(DEADLINE).join());
    }

    @Test
    void refusesDeadlinesThatAreNone() {
        assertThrows(
                IllegalArgumentException.class,
                () -> control.setMemory(Machine.HALF, Duration.ofNanos(-1)));
        assertThrows(
                IllegalArgumentException.class,
                () -> control.statistics(BalloonControl.LONGEST_DEADLINE.plusNanos(1)));
    }
}
