package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/** Everything that host and guest can do with a balloon, in any order, on real RAM. */
final class RandomMachineTest {
    private static final int MOVES = 60;
    private static final int MOST_BALLOONED = 5000;
    private static final int MOST_PROCESSES = 4;
    private static final int PAGES_PER_PROCESS = 500;

    static LongStream seeds() {
        return Seeds.first(8);
    }

    /** A machine, its processes, and what chance says. */
    private static final class Play {
        final ModelMachine machine = new ModelMachine(ModelMachine.ALL, ModelMachine.DRIVER);
        final SplittableRandom random;
        final List<AddressSpace> spaces = new ArrayList<>();
        long wanted;

        Play(long seed) {
            random = new SplittableRandom(seed);
        }

        void move() {
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> {
                    wanted = random.nextInt(MOST_BALLOONED);
                    var _ = machine.ask(wanted);
                }
                case 3, 4 -> grow();
                case 5 -> shrink();
                case 6 -> machine.balloon().hinting().start();
                case 7 -> machine.balloon().hinting().done();
                case 8 -> machine.memory().compact(6 + random.nextInt(4));
                case 9 -> machine.mmio().reset();
                case 10 -> pullAndReturn();
                default -> restartDriver();
            }
            for (int steps = random.nextInt(30); steps > 0; steps--) {
                machine.step();
            }
        }

        private void grow() {
            if (spaces.size() < MOST_PROCESSES) {
                AddressSpace space = machine.written(PAGES_PER_PROCESS);
                ModelMachine.thin(space, 1 + random.nextInt(3));
                spaces.add(space);
            }
        }

        private void shrink() {
            if (!spaces.isEmpty()) {
                spaces.remove(random.nextInt(spaces.size())).exit();
            }
        }

        private void pullAndReturn() {
            machine.pull();
            machine.runFor(random.nextDouble() * 2);
            machine.putBack();
        }

        private void restartDriver() {
            BalloonDriver driver = machine.driver();
            if (random.nextBoolean()) {
                driver.forceRemove();
            } else {
                driver.remove();
                assertTrue(
                        machine.runUntil(() -> driver.state() == BalloonDriver.State.DOWN, 15),
                        () -> "still " + driver.state());
            }
            assertNull(machine.guest.startBalloon());
        }

        /** Everybody comes to rest where the host wants them. */
        void end() {
            machine.balloon().hinting().done();
            // The driver notices within a second that its device was reset.
            machine.runFor(2);
            boolean there = machine.runUntil(() -> machine.isAt(wanted), 60);
            assertTrue(there, () -> "at " + machine.balloon().ledgerPages() + ", not " + wanted);
            machine.assertInStepBut(BalloonCounter.FALSE_ACTUAL);
            assertEquals(0, machine.count(VmCounter.OOM_KILL));
            machine.assertIntact(spaces.toArray(AddressSpace[]::new));
            assertEquals(0, machine.driver().abandonedPages());
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nothingIsLostWhateverTheyDo(long seed) {
        Play play = new Play(seed);
        try (ModelMachine machine = play.machine.booted()) {
            for (int i = 0; i < MOVES; i++) {
                play.move();
                assertEquals(0, machine.count(VmCounter.CORRUPTED), Seeds.replay(seed));
            }
            play.end();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(Seeds.replay(seed) + ": " + e.getMessage(), e);
        }
    }
}
