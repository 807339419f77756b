package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;
import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.spec.MmioRegister;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;

/** A device that asks for a reset: every page comes back, and the driver starts again. */
final class BalloonResetTest {
    /** What the driver is at when the device gives up. */
    enum Phase {
        IDLE {
            @Override
            void enter(BalloonRig rig) {
                rig.inflatedTo(500);
            }
        },
        EMPTY {
            @Override
            void enter(BalloonRig rig) {
                rig.started();
            }
        },
        INFLATING {
            @Override
            void enter(BalloonRig rig) {
                rig.inflatedTo(200);
                rig.device.target(900);
                rig.step();
            }
        },
        DEFLATING {
            @Override
            void enter(BalloonRig rig) {
                rig.inflatedTo(900);
                rig.device.target(200);
                rig.step();
            }
        },
        BOTH_WAYS {
            @Override
            void enter(BalloonRig rig) {
                rig.inflatedTo(500);
                rig.device.target(900);
                rig.step();
                rig.device.target(300);
                rig.step();
            }
        },
        OUT_OF_PAGES {
            @Override
            void enter(BalloonRig rig) {
                rig.started();
                rig.device.target(BalloonRig.RAM_PAGES);
                rig.settle();
            }
        };

        abstract void enter(BalloonRig rig);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("STATUS-DRV-04: counts on no request in flight, takes all pages back by a reset")
    void takesEveryPageBackOnce(Phase phase) {
        BalloonRig rig = new BalloonRig();
        phase.enter(rig);

        rig.device.needReset();
        rig.step();

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
        assertEquals(0, rig.driver.inPossession());
        assertEquals(State.RESTARTING, rig.driver.state());
    }

    @ParameterizedTest
    @EnumSource
    void startsAgainAndReachesTheTarget(Phase phase) {
        BalloonRig rig = new BalloonRig();
        phase.enter(rig);
        rig.device.needReset();
        rig.step();

        rig.device.targetSilently(777);
        rig.waitForRetry();
        rig.settle();

        assertEquals(777, rig.device.actual());
        assertEquals(BalloonRig.RAM_PAGES - 777 - rig.driver.pinnedPages(), rig.pages.freePages());
    }

    @ParameterizedTest
    @EnumSource
    void losesNoPageOverManyResets(Phase phase) {
        BalloonRig rig = new BalloonRig();

        for (int round = 0; round < 10; round++) {
            phase.enter(rig);
            rig.device.needReset();
            rig.step();
            rig.driver.remove();
        }

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
        assertEquals(10, rig.driver.restarts());
    }

    @Test
    void keepsConfirmedRequestsOutOfTheWayWhenTheyComeWithTheReset() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.target(0);
        rig.step();

        rig.device.confirmAll();
        rig.device.needReset();
        rig.step();

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void waitsForTheRetryDelayBeforeItStartsAgain() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.needReset();
        rig.step();

        rig.nowNs += BalloonRig.RETRY_NS - 1;
        int early = rig.step();
        State before = rig.driver.state();
        rig.nowNs += 1;
        rig.step();

        assertEquals(0, early);
        assertEquals(State.RESTARTING, before);
        assertEquals(State.RUNNING, rig.driver.state());
    }

    @Test
    void triesAgainAfterAFurtherDelayWhenItCannotBeBroughtUp() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.needReset();
        rig.step();
        rig.device.refusesFeatures = true;
        rig.waitForRetry();
        rig.step();
        rig.device.refusesFeatures = false;

        rig.nowNs += BalloonRig.RETRY_NS - 1;
        rig.step();
        State before = rig.driver.state();
        rig.nowNs += 1;
        rig.settle();

        assertEquals(State.RESTARTING, before);
        assertEquals(300, rig.device.actual());
    }

    @Test
    void waitsForMemoryWhenOthersTookItMeanwhile() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.needReset();
        rig.step();
        rig.takeByOthers(BalloonRig.RAM_PAGES);
        rig.waitForRetry();
        rig.step();

        rig.freeByOthers(400);
        rig.waitForRetry();
        rig.settle();

        assertEquals(300, rig.device.actual());
    }

    @Test
    @DisplayName("RESET-DRV-01: the reset is over when Status reads 0")
    void waitsUntilStatusReads0() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.needReset();
        rig.bus.clear();
        int[] late = {3};
        rig.bus.falsify(
                MmioRegister.STATUS,
                status -> status != 0 || rig.device.live || late[0]-- <= 0 ? status : 4);

        rig.step();

        List<RegisterLog.Access> log = rig.bus.accesses();
        long readsAfter =
                log.stream()
                        .skip(rig.bus.indexOfStore(MmioRegister.STATUS, 0))
                        .filter(access -> access.offset() == MmioRegister.STATUS.offset())
                        .filter(access -> !access.isStore())
                        .count();
        assertEquals(4, readsAfter);
    }

    @Test
    void forgetsThatItWasOutOfPages() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(BalloonRig.RAM_PAGES);
        rig.settle();
        rig.device.needReset();
        rig.step();
        rig.device.targetSilently(50);

        rig.waitForRetry();
        rig.settle();

        assertFalse(rig.driver.isOutOfPages());
        assertEquals(50, rig.device.actual());
    }

    @Test
    void countsRestarts() {
        BalloonRig rig = new BalloonRig().inflatedTo(10);
        long before = rig.driver.restarts();

        rig.device.needReset();
        rig.step();

        assertEquals(0, before);
        assertEquals(1, rig.driver.restarts());
    }

    @Test
    void asksForThePagesAnewAfterARestart() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.needReset();
        rig.step();

        rig.waitForRetry();
        rig.settle();

        assertEquals(300, rig.device.pfns(INFLATE).length);
        assertEquals(0, rig.device.log(DEFLATE).size());
    }
}
