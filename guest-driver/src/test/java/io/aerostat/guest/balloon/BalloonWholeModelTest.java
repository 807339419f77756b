package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Everything that the balloon does at once, in random order: targets, statistics, hints, reports,
 * moves, want of memory, resets, devices that are pulled, removals.
 *
 * <p>After each step every page is at exactly one place ({@link BalloonRig}), none is free or
 * handed out that the device holds ({@link GuardedPages}), requests go with the device's book
 * ({@link ScriptedBalloon}), and the driver's count differs from that book by the moves in flight
 * alone.
 */
final class BalloonWholeModelTest {
    private static final int SEEDS = 80;
    private static final int STEPS = 500;

    static LongStream seeds() {
        return Seeds.first(SEEDS);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void keepsEveryPageAtOnePlace(long seed) {
        Run run = new Run(seed);
        try {
            run.play();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(e + ": step=" + run.step + ", " + Seeds.replay(seed), e);
        }
    }

    private static final class Run {
        private final Random random;
        private final BalloonRig rig;
        private long target;
        private int round = 2;
        private int step;

        Run(long seed) {
            random = new Random(seed);
            QueueNumbering numbering = QueueNumbering.values()[random.nextInt(3)];
            OptionalInt fill =
                    random.nextInt(3) == 0 ? OptionalInt.of(random.nextInt()) : OptionalInt.empty();
            BalloonDriverOptions options =
                    BalloonRig.OPTIONS
                            .withNumbering(numbering)
                            .withFeatures(randomFeatures())
                            .withRequests(
                                    new BalloonDriverOptions.Requests(
                                            1 << random.nextInt(8),
                                            1 + random.nextInt(20),
                                            1 + random.nextInt(300)))
                            .withFreePages(
                                    new BalloonDriverOptions.FreePages(
                                            fill,
                                            5 + random.nextInt(4),
                                            random.nextInt(8),
                                            random.nextInt(3) * 50L));
            long offered =
                    Feature.VERSION_1
                            | (random.nextBoolean() ? Feature.EVENT_IDX : 0)
                            | (random.nextBoolean() ? Feature.INDIRECT_DESC : 0)
                            | randomFeatures();
            rig = new BalloonRig(options, offered, 16);
            rig.device.numbering = numbering;
            rig.device.queueSizeMax = 1 << random.nextInt(8);
        }

        /** Each feature more often than not. */
        private long randomFeatures() {
            long leftOut = random.nextInt() & random.nextLong();
            return BalloonRig.EVERY_FEATURE & ~leftOut;
        }

        void play() {
            for (step = 0; step < STEPS; step++) {
                act();
                if (rig.driver.state() == State.DOWN) {
                    rig.driver.start();
                }
                rig.step();
                assertAgrees();
            }
            endsAtTheTarget();
            rig.driver.remove();
            rig.settle();
            assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages(), "free pages");
        }

        private void act() {
            switch (random.nextInt(20)) {
                case 0, 1 -> retarget();
                case 2, 3, 4, 5 -> confirmSome();
                case 6 -> rig.takeByOthers(random.nextInt((int) rig.pages.freePages() / 3 + 1));
                case 7 -> rig.freeByOthers(random.nextInt(rig.takenByOthers() + 1));
                case 8, 9 -> rig.nowNs += random.nextInt((int) BalloonRig.REPORTING_NS);
                case 10, 11, 12 -> moveSome();
                case 13 -> rig.driver.deflateOnOom(random.nextInt(400));
                case 14 -> hint();
                case 15 -> rig.driver.releaseHinted(random.nextInt(300));
                case 16 -> askForStatistics();
                case 17 -> breakNowAndThen();
                case 18 -> removeNowAndThen();
                default -> rig.pressure.refuseAbove(random.nextInt(11));
            }
        }

        private void retarget() {
            target = random.nextInt(4) == 0 ? 0 : random.nextInt(BalloonRig.RAM_PAGES);
            rig.device.target(target);
        }

        private void confirmSome() {
            List<BalloonRequest> waiting = new ArrayList<>(rig.device.waiting());
            Collections.shuffle(waiting, random);
            rig.device.confirm(waiting.subList(0, random.nextInt(waiting.size() + 1)));
        }

        private void moveSome() {
            int first = (int) (rig.ram.base() >>> 12) + random.nextInt(BalloonRig.RAM_PAGES);
            for (int pfn = first; pfn < first + 50; pfn++) {
                boolean owned = rig.driver.owns(pfn);
                boolean started = rig.driver.migrate(pfn);
                assertTrue(owned || !started, "moved a page that isn't in the balloon");
            }
        }

        private void hint() {
            switch (random.nextInt(4)) {
                case 0 -> rig.device.hintCommand(0);
                case 1 -> rig.device.hintCommand(1);
                case 2 -> rig.device.hintCommandSilently(0);
                default -> rig.device.hintCommand(round++);
            }
        }

        private void askForStatistics() {
            if (rig.device.live && rig.device.statistics() != null) {
                rig.device.returnStatistics();
            }
        }

        private void breakNowAndThen() {
            if (!rig.device.live || random.nextInt(3) != 0) {
                return;
            }
            switch (random.nextInt(3)) {
                case 0 -> rig.device.needReset();
                case 1 -> {
                    rig.mmio.store(0x70, 4, 0);
                    rig.nowNs += BalloonRig.WATCH_NS;
                }
                default -> {
                    int queue = random.nextInt(5);
                    if (rig.device.place(queue) != null) {
                        rig.device.ring(queue).giveBack(random.nextInt() | 0x8000_0000, 0);
                    }
                }
            }
        }

        private void removeNowAndThen() {
            switch (random.nextInt(6)) {
                case 0 -> rig.driver.remove();
                case 1 -> rig.driver.forceRemove();
                default -> {}
            }
        }

        private void assertAgrees() {
            boolean isUp =
                    rig.driver.state() == State.RUNNING || rig.driver.state() == State.REMOVING;
            if (!isUp) {
                assertEquals(0, rig.driver.inPossession(), "in possession");
                return;
            }
            long confirmed = rig.device.confirmedPages();
            long counted = rig.driver.balloonedPages();
            assertEquals(counted, rig.device.actual(), "actual");
            assertTrue(
                    confirmed >= counted && confirmed - counted <= 20,
                    () -> "confirmed=" + confirmed + ", counted=" + counted);
            assertEquals(
                    rig.device.heldPages(),
                    rig.driver.inPossession() + rig.driver.isolatedPages(),
                    "held");
        }

        private void endsAtTheTarget() {
            rig.pressure.refuseAbove(rig.pages.maxOrder());
            rig.freeByOthers(rig.takenByOthers());
            rig.device.hintCommand(1);
            for (int turn = 0; turn < 6; turn++) {
                if (rig.driver.state() == State.DOWN) {
                    rig.driver.start();
                }
                rig.settle();
                rig.nowNs += BalloonRig.PRESSURE_NS;
            }
            rig.settle();
            long there = BalloonRig.RAM_PAGES - rig.driver.pinnedPages();
            assertEquals(Math.min(target, there), rig.device.actual(), "target");
            assertEquals(rig.device.actual(), rig.device.confirmedPages(), "confirmed");
            assertEquals(0, rig.driver.hintedPages(), "hinted");
        }
    }
}
