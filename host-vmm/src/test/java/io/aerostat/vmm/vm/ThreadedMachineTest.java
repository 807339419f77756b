package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.vmm.guest.FreeMemory;
import io.aerostat.vmm.guest.InProcessGuest;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Device and guest on threads of their own, real memory between them. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class ThreadedMachineTest {
    private static final GuestSize MAXIMUM = new GuestSize(128L << 20);
    private static final GuestSize FLOOR = new GuestSize(64L << 20);
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final int ROUNDS = 60;

    @ParameterizedTest
    @EnumSource(Backing.class)
    void followsRandomTargetsWhileTheGuestUsesItsMemory(Backing backing) throws Exception {
        long seed = Long.getLong("aerostat.seed", 42);
        SplittableRandom random = new SplittableRandom(seed);
        String replay = "-Daerostat.seed=" + seed;
        InProcessGuest.Interrupts interrupts = new InProcessGuest.Interrupts();
        VmOptions options =
                new VmOptions(
                        "test",
                        MAXIMUM,
                        FLOOR,
                        RamOptions.of(backing),
                        Optional.of(BalloonOptions.DEFAULT));
        try (VirtualMachine vm = VirtualMachine.start(options, interrupts);
                InProcessGuest guest =
                        new InProcessGuest(
                                vm.memory(),
                                vm.balloonWindow(),
                                interrupts,
                                BalloonDriverOptions.DEFAULT,
                                seed,
                                System::nanoTime)) {
            guest.start();
            assertEquals(null, guest.boot().get(10, TimeUnit.SECONDS));
            BalloonDevice balloon = vm.balloon().orElseThrow();

            for (int round = 0; round < ROUNDS; round++) {
                long span = MAXIMUM.pages() - FLOOR.pages();
                GuestSize size = new GuestSize((FLOOR.pages() + random.nextLong(span + 1)) << 12);
                var outcome = vm.setMemory(size, DEADLINE);
                long keep = random.nextLong(FLOOR.pages() / 2);
                var _ = guest.call(g -> resize(g, keep));

                assertInstanceOf(
                        SetMemoryOutcome.Reached.class, outcome.get(60, TimeUnit.SECONDS), replay);
                assertEquals(size.balloonWithin(MAXIMUM).pages(), balloon.ledgerPages(), replay);
                long corrupted =
                        guest.call(g -> g.workload().corruptedPages()).get(30, TimeUnit.SECONDS);
                assertEquals(0, corrupted, replay);
                FreeMemory free = guest.call(InProcessGuest::free).get(10, TimeUnit.SECONDS);
                assertEquals(size.bytes(), free.total(), replay);
            }

            long inBalloon = balloon.ledgerPages() << 12;
            if (backing != Backing.SIMULATED) {
                assertEquals(inBalloon, vm.verifiedBytes().get(10, TimeUnit.SECONDS), replay);
            }
            assertEquals(0, balloon.counters().anomalies(), replay);
            assertEquals(
                    balloon.ledgerPages(),
                    balloon.counters().get(BalloonCounter.PAGES_INFLATED)
                            - balloon.counters().get(BalloonCounter.PAGES_DEFLATED),
                    replay);
        }
    }

    @Test
    void maySafelyBeClosedByWhoeverWaitsForAnOutcome() throws Exception {
        VmOptions options =
                new VmOptions(
                        "test",
                        MAXIMUM,
                        FLOOR,
                        RamOptions.of(Backing.preferred()),
                        Optional.of(BalloonOptions.DEFAULT));
        VirtualMachine vm = VirtualMachine.start(options, level -> {});

        CompletableFuture<Void> closed =
                vm.setMemory(FLOOR, Duration.ofMillis(50)).thenRun(vm::close);

        closed.get(30, TimeUnit.SECONDS);
        assertThrows(IllegalStateException.class, vm::memory);
    }

    private static long resize(InProcessGuest guest, long keep) {
        long owned = guest.workload().ownedPages();
        return owned < keep
                ? guest.workload().grow(keep - owned)
                : guest.workload().shrink(owned - keep, 16);
    }
}
