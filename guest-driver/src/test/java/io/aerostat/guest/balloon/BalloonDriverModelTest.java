package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Random targets, confirmations in any order, other users of memory, lost interrupts, broken
 * devices and removals. After each step no page is lost or there twice ({@link BalloonRig}), none
 * is free that the device holds ({@link GuardedPages}), none is deflated that isn't in the balloon
 * ({@link ScriptedBalloon}), and the driver says what the device's own book says.
 */
final class BalloonDriverModelTest {
    private static final int SEEDS = 60;
    private static final int STEPS = 600;

    static LongStream seeds() {
        return Seeds.first(SEEDS);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithTheDevicesBookAtEveryStep(long seed) {
        Run run = new Run(seed);
        try {
            run.play();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(e + ": step=" + run.step + ", " + Seeds.replay(seed), e);
        }
    }

    private static final class Run {
        private final Random random;
        private final BalloonDriverOptions options;
        private final BalloonRig rig;
        private long target;
        private int step;

        Run(long seed) {
            random = new Random(seed);
            options =
                    BalloonRig.OPTIONS
                            .withNumbering(QueueNumbering.values()[random.nextInt(3)])
                            .withRequests(
                                    new BalloonDriverOptions.Requests(
                                            1 << random.nextInt(8),
                                            1 + random.nextInt(20),
                                            1 + random.nextInt(random.nextBoolean() ? 8 : 400)))
                            .withDelays(
                                    BalloonRig.OPTIONS
                                            .delays()
                                            .withRetryNs(random.nextInt(3) * BalloonRig.RETRY_NS));
            long offered =
                    Feature.VERSION_1
                            | (random.nextBoolean() ? Feature.EVENT_IDX : 0)
                            | (random.nextBoolean() ? BalloonFeature.MUST_TELL_HOST : 0);
            rig = new BalloonRig(options, offered, BalloonConfigLayout.LENGTH);
            rig.device.queueSizeMax = 1 << random.nextInt(8);
        }

        void play() {
            for (step = 0; step < STEPS; step++) {
                switch (random.nextInt(16)) {
                    case 0, 1 -> retarget();
                    case 2, 3, 4, 5, 6 -> confirmSome();
                    case 7, 8 -> othersTake();
                    case 9, 10 -> othersFree();
                    case 11 -> rig.nowNs += random.nextInt((int) BalloonRig.RETRY_NS);
                    case 12 -> fragment();
                    case 13 -> breakNowAndThen();
                    case 14 -> removeNowAndThen();
                    default -> rig.poll();
                }
                if (rig.driver.state() == State.DOWN) {
                    rig.driver.start();
                }
                rig.step();
                assertAgrees();
            }
            endsAtTheTarget();
            leavesNothing();
        }

        private void retarget() {
            int most = random.nextInt(8) == 0 ? 3 * BalloonRig.RAM_PAGES : BalloonRig.RAM_PAGES;
            target = random.nextInt(4) == 0 ? 0 : random.nextInt(most);
            rig.device.target(target);
        }

        private void confirmSome() {
            List<BalloonRequest> waiting = new ArrayList<>(rig.device.waiting());
            Collections.shuffle(waiting, random);
            rig.device.confirm(waiting.subList(0, random.nextInt(waiting.size() + 1)));
        }

        private void othersTake() {
            int free = (int) rig.pages.freePages();
            // Now and then all of them.
            rig.takeByOthers(random.nextInt(6) == 0 ? free : random.nextInt(free / 4 + 1));
        }

        private void othersFree() {
            rig.freeByOthers(random.nextInt(rig.takenByOthers() + 1));
        }

        private void fragment() {
            rig.pressure.refuseAbove(random.nextInt(rig.pages.maxOrder() + 1));
        }

        private void breakNowAndThen() {
            if (!rig.device.live || random.nextInt(3) != 0) {
                return;
            }
            int queue = random.nextInt(2);
            if (random.nextBoolean()) {
                rig.device.needReset();
            } else {
                rig.device.ring(queue).giveBack(random.nextInt() | 0x8000_0000, 0);
            }
        }

        private void removeNowAndThen() {
            if (random.nextInt(4) == 0) {
                rig.driver.remove();
            }
        }

        private void assertAgrees() {
            boolean isUp =
                    rig.driver.state() == State.RUNNING || rig.driver.state() == State.REMOVING;
            long confirmed = isUp ? rig.device.confirmedPages() : 0;
            assertEquals(confirmed, rig.driver.balloonedPages(), "in the balloon");
            assertEquals(confirmed, rig.device.actual(), "actual");
            long waiting =
                    rig.device.waiting(ScriptedBalloon.INFLATE).stream()
                            .mapToLong(BalloonRequest::pages)
                            .sum();
            assertEquals(isUp ? waiting : 0, rig.driver.inPossession() - confirmed, "inflating");
        }

        private void endsAtTheTarget() {
            rig.pressure.refuseAbove(rig.pages.maxOrder());
            rig.freeByOthers(rig.takenByOthers());
            for (int round = 0; round < 4; round++) {
                rig.settle();
                rig.nowNs += options.delays().retryNs();
                if (rig.driver.state() == State.DOWN) {
                    rig.driver.start();
                }
            }
            rig.settle();
            long there = BalloonRig.RAM_PAGES - rig.driver.pinnedPages();
            assertEquals(Math.min(target, there), rig.device.actual(), "target");
        }

        private void leavesNothing() {
            rig.driver.remove();
            rig.settle();
            assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages(), "free pages");
        }
    }
}
