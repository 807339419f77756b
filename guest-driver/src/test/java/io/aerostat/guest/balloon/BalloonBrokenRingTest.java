package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;
import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.stream.Stream;

/** A device that writes rubbish to a used ring is reset; nothing is thrown and no page is lost. */
final class BalloonBrokenRingTest {
    /** What is wrong with the used ring, which has had no element so far. */
    enum Rubbish {
        ID_OUT_OF_RANGE {
            @Override
            void write(ScriptedBalloon device, int queue, RingBytes ring) {
                ring.giveBack(ring.size(), 0);
            }
        },
        ID_WITH_HIGH_BITS {
            @Override
            void write(ScriptedBalloon device, int queue, RingBytes ring) {
                ring.giveBack(0x8000_0000 | ring.availableEntry(0), 0);
            }
        },
        ID_NOT_IN_FLIGHT {
            @Override
            void write(ScriptedBalloon device, int queue, RingBytes ring) {
                ring.giveBack(ring.size() - 1, 0);
            }
        },
        ID_TWICE {
            @Override
            void write(ScriptedBalloon device, int queue, RingBytes ring) {
                BalloonRequest done = device.waiting(queue).get(0);
                device.confirm(done);
                ring.giveBack(done.head(), 0);
            }
        },
        INDEX_BEYOND_WHAT_IS_IN_FLIGHT {
            @Override
            void write(ScriptedBalloon device, int queue, RingBytes ring) {
                ring.usedElement(0, ring.availableEntry(0), 0);
                ring.usedIdx(ring.availableIdx() + 1);
            }
        },
        INDEX_BACKWARDS {
            @Override
            void write(ScriptedBalloon device, int queue, RingBytes ring) {
                ring.usedIdx(-1);
            }
        };

        abstract void write(ScriptedBalloon device, int queue, RingBytes ring);

        void on(ScriptedBalloon device, int queue) {
            write(device, queue, device.ring(queue));
        }
    }

    static Stream<Arguments> everyRubbishOnEachQueue() {
        return Arrays.stream(Rubbish.values())
                .flatMap(
                        rubbish ->
                                Stream.of(
                                        Arguments.of(INFLATE, rubbish),
                                        Arguments.of(DEFLATE, rubbish)));
    }

    /** The queue has several requests in flight, its first. */
    private static BalloonRig busy(int queue) {
        BalloonRig rig = new BalloonRig();
        if (queue == DEFLATE) {
            rig.inflatedTo(900);
        } else {
            rig.started();
            rig.device.target(900);
            rig.step();
        }
        rig.device.target(300);
        rig.step();
        return rig;
    }

    @ParameterizedTest
    @MethodSource("everyRubbishOnEachQueue")
    void resetsTheDeviceAndTakesEveryPageBack(int queue, Rubbish rubbish) {
        BalloonRig rig = busy(queue);

        rubbish.on(rig.device, queue);
        rig.step();

        assertEquals(State.RESTARTING, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @ParameterizedTest
    @MethodSource("everyRubbishOnEachQueue")
    void startsAgainOnCleanRings(int queue, Rubbish rubbish) {
        BalloonRig rig = busy(queue);
        rubbish.on(rig.device, queue);
        rig.step();

        rig.waitForRetry();
        rig.settle();

        assertEquals(300, rig.device.actual());
        assertEquals(1, rig.driver.restarts());
    }

    @ParameterizedTest
    @EnumSource
    void goesDownIfItWasBeingRemoved(Rubbish rubbish) {
        BalloonRig rig = busy(DEFLATE);
        rig.driver.remove();
        rig.step();

        rubbish.on(rig.device, DEFLATE);
        rig.step();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void takesGoodConfirmationsBeforeTheRubbishForWhatTheyAre() {
        BalloonRig rig = new BalloonRig().inflatedTo(700);
        rig.device.target(0);
        rig.step();
        RingBytes ring = rig.device.ring(DEFLATE);
        rig.device.confirm(rig.device.waiting().get(0));

        ring.giveBack(ring.size(), 0);
        rig.step();

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void refusesAConfirmationOnAnIdleQueue() {
        BalloonRig rig = new BalloonRig().started();

        rig.device.ring(DEFLATE).giveBack(0, 0);
        rig.step();

        assertEquals(State.RESTARTING, rig.driver.state());
    }

    @Test
    void isNotMisledByRubbishInTheDriversOwnPartOfTheRing() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(900);
        rig.step();
        RingBytes ring = rig.device.ring(INFLATE);

        for (int i = 0; i < ring.size(); i++) {
            ring.descriptor(i, -1, -1, -1, -1);
        }
        rig.device.confirmAll();
        rig.step();
        rig.settle();

        assertEquals(900, rig.device.actual());
        assertEquals(0, rig.driver.restarts());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1024, -1})
    @DisplayName("BALLOON-LEG-04: old devices say how much they have read")
    void ignoresTheUsedLengthOfAReadableBuffer(int length) {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(256);
        rig.step();
        RingBytes ring = rig.device.ring(INFLATE);

        ring.giveBack(ring.availableEntry(0), length);
        rig.step();

        assertEquals(256, rig.driver.balloonedPages());
        assertEquals(0, rig.driver.restarts());
    }
}
