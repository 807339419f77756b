package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.guest.VirtioMmio;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.Random;

/**
 * Whatever the host wants and whenever it wants it, with machines that are exchanged in the middle
 * of things: in the end the guest has done it, and both sides know.
 */
final class RandomLifeTest {
    private static final int SEEDS = 5;
    private static final int ROUNDS = 25;
    private static final long[] LEFT_OUT = {
        0, VirtioMmio.STATS_VQ, VirtioMmio.EVENT_IDX, VirtioMmio.FREE_PAGE_HINT
    };

    @ParameterizedTest
    @EnumSource
    void bothSidesAgreeInTheEnd(Examples kind) {
        Seeds.first(SEEDS).forEach(seed -> live(kind, new Random(seed), Seeds.replay(seed)));
    }

    private static void live(Examples kind, Random random, String replay) {
        long leftOut = LEFT_OUT[random.nextInt(LEFT_OUT.length)];
        Life life = new Life(kind.make(Habits.LINUX.without(leftOut)), random);
        life.example.boot();
        for (int round = 0; round < ROUNDS; round++) {
            for (int act = random.nextInt(8); act > 0; act--) {
                life.act();
            }
            life.example.settle();
            life.assertAgreed(replay);
        }
    }

    /** One machine after the other, and what the host wants of them. */
    private static final class Life {
        private final Random random;
        private Example example;
        private int target;

        Life(Example example, Random random) {
            this.example = example;
            this.random = random;
        }

        void act() {
            switch (random.nextInt(20)) {
                case 0, 1, 2, 3, 4 -> command();
                case 5, 6 -> example.balloon().statistics().request();
                case 7, 8 -> example.attendToBalloon();
                case 9, 10 -> {
                    // A command that the balloon has not heard yet is not in its state.
                    example.attendToBalloon();
                    example = example.successor();
                }
                case 11, 12 ->
                        example.bus().beforeStoreTo(VirtioMmio.INTERRUPT_ACK, this::interfere);
                case 13, 14 ->
                        example.bus().beforeStoreTo(VirtioMmio.QUEUE_NOTIFY, this::interfere);
                case 15 -> example.boot();
                default -> example.runALittle();
            }
        }

        private void command() {
            target = random.nextInt(example.map().pages());
            example.balloon().target(target);
        }

        private void interfere() {
            command();
            example.attendToBalloon();
        }

        void assertAgreed(String replay) {
            assertEquals(target, example.guest().balloonedPages(), replay);
            assertEquals(target, example.balloon().ledgerPages(), replay);
            assertEquals(target, example.balloon().actualPages(), replay);
            assertEquals(0, example.balloon().counters().anomalies(), replay);
            assertFalse(example.interrupts().isPending(), replay);
            if ((example.guest().features() & VirtioMmio.STATS_VQ) != 0) {
                assertStatisticsAgree(replay);
            }
        }

        private void assertStatisticsAgree(String replay) {
            example.bus().stepOut();
            example.balloon().statistics().request();
            example.settle();
            GuestStatistics latest = example.balloon().statistics().latest().orElseThrow();
            long freePages = latest.value(StatTag.MEMFREE).orElseThrow() / GuestMap.PAGE;
            assertEquals(
                    example.map().pages() - example.guest().balloonedPages(), freePages, replay);
        }
    }
}
