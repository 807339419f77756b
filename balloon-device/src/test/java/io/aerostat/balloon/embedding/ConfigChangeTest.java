package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.embedding.guest.VirtioMmio;
import io.aerostat.balloon.embedding.machine.LatchingController;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A new target while the guest handles an interrupt for something else: the line is high already,
 * and an interrupt controller that latches must be told all the same.
 */
final class ConfigChangeTest {
    @ParameterizedTest
    @EnumSource
    void isNotLostBetweenTheHandlersLookAtTheCausesAndItsAcknowledgement(Examples kind) {
        Example example = kind.make();
        example.boot();
        boolean[] came = new boolean[1];
        example.bus()
                .beforeStoreTo(
                        VirtioMmio.INTERRUPT_ACK,
                        () -> {
                            example.balloon().target(500);
                            example.attendToBalloon();
                            came[0] = true;
                        });

        example.balloon().statistics().request();
        example.settle();

        assertTrue(came[0]);
        assertEquals(500, example.guest().balloonedPages());
    }

    @ParameterizedTest
    @EnumSource
    void isNotLostBeforeTheHandlerLooks(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.balloon().statistics().request();
        example.attendToBalloon();
        assertTrue(example.interrupts().isPending());

        example.balloon().target(500);
        example.settle();

        assertEquals(500, example.guest().balloonedPages());
    }

    @ParameterizedTest
    @EnumSource
    void isNotLostIfItComesWithEachRequest(Examples kind) {
        Example example = kind.make();
        example.boot();

        for (int target = 100; target <= 2000; target += 100) {
            int next = target;
            example.bus()
                    .beforeStoreTo(
                            VirtioMmio.QUEUE_NOTIFY,
                            () -> {
                                example.balloon().target(next);
                                example.attendToBalloon();
                            });
            example.inflateTo(next - 50);
            assertEquals(next, example.guest().balloonedPages());
        }
    }

    @Test
    void theControllerForgetsACallThatIsNotMadeAgain() {
        LatchingController interrupts = new LatchingController();
        interrupts.set(7, true);

        assertEquals(7, interrupts.claim());
        interrupts.complete(7);

        // The line is high still, and that is not enough.
        assertEquals(0, interrupts.claim());
        interrupts.set(7, true);
        assertEquals(7, interrupts.claim());
    }
}
