package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.vmm.guest.FreeMemory;
import io.aerostat.vmm.guest.InProcessGuest;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The device on a thread of its own, the guest on another. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class OwnThreadMachineTest {
    private static final GuestSize MAXIMUM = new GuestSize(64L << 20);
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    /** Retries and looks at the device come soon, for the clock is the real one. */
    private static final BalloonDriverOptions DRIVER =
            ModelMachine.DRIVER.withDelays(
                    new BalloonDriverOptions.Delays(
                            5_000_000, 5_000_000, 5_000_000, 10_000_000_000L, 5_000_000));

    private static final class Machine implements AutoCloseable {
        final VirtualMachine vm;
        final InProcessGuest guest;

        Machine(BalloonOptions balloon) throws Exception {
            InProcessGuest.Interrupts interrupts = new InProcessGuest.Interrupts();
            VmOptions options =
                    new VmOptions(
                            "test",
                            MAXIMUM,
                            new GuestSize(4096),
                            RamOptions.of(Backing.preferred()),
                            Optional.of(balloon));
            vm = VirtualMachine.start(options, interrupts);
            guest =
                    new InProcessGuest(
                            vm.memory(),
                            vm.balloonWindow(),
                            interrupts,
                            DRIVER,
                            1,
                            System::nanoTime);
            guest.start();
            assertNull(get(guest.boot()));
        }

        BalloonDevice balloon() {
            return vm.balloon().orElseThrow();
        }

        <T> T on(Function<InProcessGuest, T> work) throws Exception {
            return get(guest.call(work));
        }

        long corruptedPages() throws Exception {
            return on(g -> g.workload().corruptedPages());
        }

        BalloonDriver.State driverState() throws Exception {
            return on(g -> g.driver().orElseThrow().state());
        }

        @Override
        public void close() {
            guest.close();
            vm.close();
        }
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static GuestSize without(long pages) {
        return new BalloonSize(pages).guestWithin(MAXIMUM);
    }

    @Test
    void answersManyQuestionsFromManyThreads() throws Exception {
        // What is being reported is not free meanwhile, and would make the answers differ.
        long features = BalloonOptions.DEFAULT.features() & ~BalloonFeature.PAGE_REPORTING;
        try (Machine machine = new Machine(BalloonOptions.DEFAULT.withFeatures(features))) {
            machine.on(g -> g.workload().grow(1000));
            List<Future<StatisticsOutcome>> answers = new ArrayList<>();
            try (ExecutorService askers = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 50; i++) {
                    answers.add(askers.submit(() -> get(machine.vm.statistics(DEADLINE))));
                }
            }

            FreeMemory free = machine.on(InProcessGuest::free);

            for (Future<StatisticsOutcome> answer : answers) {
                GuestStatistics said =
                        assertInstanceOf(StatisticsOutcome.Answered.class, answer.get()).figures();
                assertEquals(free.free(), said.value(StatTag.MEMFREE).orElseThrow());
                assertEquals(free.total(), said.value(StatTag.MEMTOT).orElseThrow());
            }
            assertEquals(0, machine.balloon().counters().anomalies());
        }
    }

    @Test
    void aDriverIsRemovedAndComesBack() throws Exception {
        try (Machine machine = new Machine(BalloonOptions.DEFAULT)) {
            machine.on(g -> g.workload().grow(4000));
            assertInstanceOf(
                    SetMemoryOutcome.Reached.class,
                    get(machine.vm.setMemory(without(6000), DEADLINE)));

            machine.on(
                    g -> {
                        g.driver().orElseThrow().remove();
                        return 0;
                    });
            while (machine.driverState() != BalloonDriver.State.DOWN) {
                Thread.onSpinWait();
            }

            assertEquals(0, machine.balloon().ledgerPages());
            assertEquals(6000, machine.balloon().counters().get(BalloonCounter.PAGES_DEFLATED));
            assertNull(get(machine.guest.boot()));
            assertInstanceOf(
                    SetMemoryOutcome.Reached.class,
                    get(machine.vm.setMemory(without(6000), DEADLINE)));
            assertEquals(0, machine.corruptedPages());
            assertEquals(0, machine.balloon().counters().anomalies());
        }
    }

    @Test
    void resetsUnderLoadLoseNothingAndCountNothingTwice() throws Exception {
        try (Machine machine = new Machine(ModelMachine.ALL)) {
            machine.on(g -> g.workload().grow(4000));
            MmioDevice mmio = (MmioDevice) machine.vm.balloonWindow().orElseThrow();
            for (int round = 1; round <= 20; round++) {
                long wanted = 3000 + 100L * (round % 7);
                long restarts = machine.on(g -> g.driver().orElseThrow().restarts());
                var outcome = machine.vm.setMemory(without(wanted), DEADLINE);
                // The register window is the guest's thread's.
                machine.on(
                        g -> {
                            mmio.reset();
                            return 0;
                        });
                while (machine.on(g -> g.driver().orElseThrow().restarts()) == restarts) {
                    Thread.onSpinWait();
                }
                // The size may have been reached before the reset.
                assertInstanceOf(SetMemoryOutcome.Reached.class, get(outcome));
                assertInstanceOf(
                        SetMemoryOutcome.Reached.class,
                        get(machine.vm.setMemory(without(wanted), DEADLINE)));

                BalloonDevice balloon = machine.balloon();
                assertEquals(wanted, balloon.ledgerPages());
                assertEquals(
                        wanted,
                        balloon.counters().get(BalloonCounter.PAGES_INFLATED)
                                - balloon.counters().get(BalloonCounter.PAGES_DEFLATED)
                                - balloon.counters().get(BalloonCounter.PAGES_RETURNED_BY_RESET));
                assertEquals(0, machine.corruptedPages(), "round " + round);
                // The driver does not know of a reset yet and may write once more what it had.
                assertEquals(
                        balloon.counters().get(BalloonCounter.FALSE_ACTUAL),
                        balloon.counters().anomalies());
            }
        }
    }

    @Test
    void hintsAndReportsRunBesideTheBalloon() throws Exception {
        try (Machine machine = new Machine(ModelMachine.ALL)) {
            machine.on(g -> g.workload().grow(6000));
            for (int round = 0; round < 10; round++) {
                machine.balloon().hinting().start();
                var outcome = machine.vm.setMemory(without(500 + 200L * round), DEADLINE);
                machine.on(g -> g.workload().shrink(500, 64));
                machine.balloon().hinting().done();
                assertInstanceOf(SetMemoryOutcome.Reached.class, get(outcome));
                machine.on(g -> g.workload().grow(500));
            }
            // In the rounds above the host may have been done before the driver began.
            machine.balloon().hinting().start();
            while (machine.balloon().counters().get(BalloonCounter.REPORTS) == 0
                    || machine.balloon().counters().get(BalloonCounter.HINT_ROUNDS) == 0) {
                Thread.onSpinWait();
            }

            assertEquals(0, machine.corruptedPages());
            assertEquals(0, machine.balloon().counters().anomalies());
        }
    }

    @Test
    void isNotSteppedByHand() throws Exception {
        try (Machine machine = new Machine(BalloonOptions.DEFAULT)) {
            assertThrows(IllegalStateException.class, machine.vm::step);
        }
    }
}
