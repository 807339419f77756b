package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.guest.FreeMemory;
import io.aerostat.vmm.guest.InProcessGuest;
import io.aerostat.vmm.vm.StatisticsOutcome.Answered;
import io.aerostat.vmm.vm.StatisticsOutcome.Reason;
import io.aerostat.vmm.vm.StatisticsOutcome.Unanswered;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Questions for the guest's statistics, and every way in which they end, on a virtual clock. */
final class StatisticsQuestionTest {
    private static final Duration DEADLINE = Duration.ofMillis(100);
    private static final long SECOND_NS = 1_000_000_000L;

    private static GuestStatistics figures(CompletableFuture<StatisticsOutcome> answer) {
        return assertInstanceOf(Answered.class, answer.join()).figures();
    }

    @Test
    void answersWithTheGuestsOwnFigures() {
        try (Machine machine = new Machine().booted()) {
            machine.stepFor(5);
            CompletableFuture<Long> grown = machine.guest.call(guest -> guest.workload().grow(777));
            machine.step();
            assertEquals(777, grown.join());

            CompletableFuture<StatisticsOutcome> answer = machine.vm.statistics(DEADLINE);
            machine.stepFor(5);
            CompletableFuture<FreeMemory> free = machine.guest.call(InProcessGuest::free);
            machine.step();

            GuestStatistics said = figures(answer);
            assertEquals(free.join().free(), said.value(StatTag.MEMFREE).orElseThrow());
            assertEquals(free.join().total(), said.value(StatTag.MEMTOT).orElseThrow());
            assertEquals(Machine.MAXIMUM.bytes(), said.value(StatTag.MEMTOT).orElseThrow());
        }
    }

    @Test
    void theFiguresAreNewerThanTheQuestion() {
        try (Machine machine = new Machine().booted()) {
            machine.stepFor(5);
            GuestStatistics before = machine.balloon().statistics().latest().orElseThrow();
            machine.stepFor(50);
            long askedNs = machine.nowNs();

            CompletableFuture<StatisticsOutcome> answer = machine.vm.statistics(DEADLINE);
            machine.stepFor(5);

            GuestStatistics after = figures(answer);
            assertTrue(before.receivedNs() < askedNs);
            assertTrue(after.receivedNs() >= askedNs);
            assertEquals(machine.nowNs() - after.receivedNs(), after.ageNs(machine.nowNs()), "age");
            assertTrue(after.ageNs(machine.nowNs()) < 10_000_000);
        }
    }

    @Test
    void severalQuestionsAtOnceGetOneAnswer() {
        try (Machine machine = new Machine().booted()) {
            machine.stepFor(5);
            long before = machine.balloon().counters().get(BalloonCounter.STATISTICS);

            CompletableFuture<StatisticsOutcome> first = machine.vm.statistics(DEADLINE);
            CompletableFuture<StatisticsOutcome> second = machine.vm.statistics(DEADLINE);
            CompletableFuture<StatisticsOutcome> third = machine.vm.statistics(DEADLINE);
            machine.stepFor(5);

            assertSame(figures(first), figures(second));
            assertSame(figures(first), figures(third));
            assertEquals(before + 1, machine.balloon().counters().get(BalloonCounter.STATISTICS));
        }
    }

    @Test
    void eachQuestionHasItsOwnDeadline() {
        try (Machine machine = new Machine().booted()) {
            machine.stepFor(5);
            CompletableFuture<StatisticsOutcome> hasty =
                    machine.vm.statistics(Duration.ofMillis(3));
            CompletableFuture<StatisticsOutcome> patient = machine.vm.statistics(DEADLINE);
            for (int ms = 0; ms < 10; ms++) {
                machine.stepHost();
            }
            assertEquals(new Unanswered(Reason.NO_RESPONSE), hasty.join());
            assertFalse(patient.isDone());

            machine.stepFor(5);

            assertInstanceOf(Answered.class, patient.join());
        }
    }

    @Test
    void asksByItselfEveryPeriod() {
        try (Machine machine = new Machine().booted()) {
            machine.balloon().statistics().period(SECOND_NS);
            machine.stepFor(10);
            long before = machine.balloon().counters().get(BalloonCounter.STATISTICS);

            machine.stepFor(10_000);

            long answers = machine.balloon().counters().get(BalloonCounter.STATISTICS) - before;
            assertTrue(answers == 9 || answers == 10, "answers=" + answers);
            long age = machine.balloon().statistics().latest().orElseThrow().ageNs(machine.nowNs());
            assertTrue(age <= SECOND_NS + 10_000_000, "age=" + age);
            machine.balloon().statistics().period(0);
            machine.stepFor(10);
            long whenStopped = machine.balloon().counters().get(BalloonCounter.STATISTICS);
            machine.stepFor(5_000);
            assertEquals(whenStopped, machine.balloon().counters().get(BalloonCounter.STATISTICS));
        }
    }

    @ParameterizedTest
    @EnumSource(Reason.class)
    void saysWhyThereIsNoAnswer(Reason reason) {
        assertEquals(new Unanswered(reason), unanswered(reason).join());
        assertNotEquals("", reason.description().trim());
    }

    @Test
    void everyReasonIsDescribedInItsOwnWords() {
        assertEquals(
                Reason.values().length,
                Arrays.stream(Reason.values()).map(Reason::description).distinct().count());
    }

    /** A question that ends for this reason. */
    private static CompletableFuture<StatisticsOutcome> unanswered(Reason reason) {
        return switch (reason) {
            case NO_DEVICE -> {
                try (Machine machine = new Machine(Optional.empty())) {
                    yield machine.vm.statistics(DEADLINE);
                }
            }
            case NO_GUEST ->
                    new BalloonControl(Runnable::run, () -> 0, new GuestSize(4096))
                            .statistics(DEADLINE);
            case NO_DRIVER -> overdue(new Machine());
            case NOT_NEGOTIATED ->
                    overdue(
                            new Machine(
                                            BalloonDriverOptions.DEFAULT.withFeatures(
                                                    BalloonFeature.MUST_TELL_HOST))
                                    .booted());
            case NO_RESPONSE -> overdue(new Machine().booted());
            case CLOSED -> {
                try (Machine machine = new Machine().booted()) {
                    CompletableFuture<StatisticsOutcome> asked = machine.vm.statistics(DEADLINE);
                    machine.stepHost();
                    machine.vm.close();
                    assertEquals(
                            new Unanswered(Reason.CLOSED), machine.vm.statistics(DEADLINE).join());
                    yield asked;
                }
            }
        };
    }

    /** The guest is not stepped any more. */
    private static CompletableFuture<StatisticsOutcome> overdue(Machine machine) {
        try (machine) {
            machine.stepHost();
            CompletableFuture<StatisticsOutcome> answer = machine.vm.statistics(DEADLINE);
            for (int ms = 0; ms < 110; ms++) {
                machine.stepHost();
            }
            return answer;
        }
    }

    @Test
    void aDeviceWithoutTheQueueSaysThatThereAreNoStatistics() {
        BalloonOptions without = BalloonOptions.DEFAULT.withFeatures(BalloonFeature.MUST_TELL_HOST);
        try (Machine machine = new Machine(Optional.of(without)).booted()) {
            CompletableFuture<StatisticsOutcome> answer = machine.vm.statistics(DEADLINE);
            machine.stepFor(110);

            assertEquals(new Unanswered(Reason.NOT_NEGOTIATED), answer.join());
        }
    }
}
