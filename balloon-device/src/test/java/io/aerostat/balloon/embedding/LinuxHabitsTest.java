package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.embedding.TappedBus.Access;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.guest.VirtioMmio;
import io.aerostat.balloon.handler.BalloonCounter;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;

/**
 * What Linux does and the standard does not say, or leaves open, on the way through a host's bus.
 */
final class LinuxHabitsTest {
    private static final int ACTUAL = VirtioMmio.CONFIG + 4;

    private static int indexOf(List<Access> accesses, Access wanted) {
        int index = accesses.indexOf(wanted);
        assertTrue(index >= 0, wanted + " in " + accesses);
        return index;
    }

    private static Access store(int register, int value) {
        return new Access(true, register, 4, value);
    }

    @ParameterizedTest
    @EnumSource
    void aBufferThatIsKickedBeforeDriverOkIsServed(Examples kind) {
        Example example = kind.make();

        example.boot();

        List<Access> accesses = example.bus().accesses();
        int kick = indexOf(accesses, store(VirtioMmio.QUEUE_NOTIFY, 2));
        int up = VirtioMmio.ACKNOWLEDGE | VirtioMmio.DRIVER | VirtioMmio.FEATURES_OK;
        int ready = indexOf(accesses, store(VirtioMmio.STATUS, up | VirtioMmio.DRIVER_OK));
        assertTrue(kick < ready);
        assertEquals(1, example.balloon().counters().get(BalloonCounter.STATISTICS));
    }

    @ParameterizedTest
    @CsvSource({"true, true, 4", "true, false, 3", "false, true, 3", "false, false, 2"})
    void queuesAreNumberedByTheFeaturesThatTheDriverTook(
            boolean statistics, boolean hints, int reporting) {
        long without =
                (statistics ? 0 : VirtioMmio.STATS_VQ) | (hints ? 0 : VirtioMmio.FREE_PAGE_HINT);
        for (Examples kind : Examples.values()) {
            Example example = kind.make(Habits.LINUX.without(without));
            example.boot();
            example.bus().forget();

            example.guest().report(example.map().firstPage(), 16);
            example.settle();

            indexOf(example.bus().accesses(), store(VirtioMmio.QUEUE_NOTIFY, reporting));
            assertEquals(1, example.balloon().counters().get(BalloonCounter.REPORTS));
            long answers = example.balloon().counters().get(BalloonCounter.STATISTICS);
            assertEquals(statistics ? 1 : 0, answers);
            example.inflateTo(300);
            assertEquals(300, example.balloon().actualPages());
            assertEquals(0, example.balloon().counters().anomalies());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDriverWithoutAnythingOptionalIsServed(Examples kind) {
        Example example = kind.make(Habits.LINUX.without(~VirtioMmio.VERSION_1));
        example.boot();

        example.inflateTo(1000);
        example.inflateTo(10);

        assertEquals(VirtioMmio.VERSION_1, example.balloon().negotiatedFeatures());
        assertEquals(10, example.balloon().actualPages());
        assertEquals(10, example.balloon().ledgerPages());
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptIsAcknowledgedBeforeItsCausesAreHandled(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.bus().forget();

        example.inflateTo(300);

        List<Access> accesses = example.bus().accesses();
        int looks = 0;
        for (int i = 0; i < accesses.size(); i++) {
            Access look = accesses.get(i);
            if (look.offset() == VirtioMmio.INTERRUPT_STATUS) {
                looks++;
                assertTrue(look.value() != 0, "an interrupt without a cause");
                assertEquals(
                        store(VirtioMmio.INTERRUPT_ACK, (int) look.value()), accesses.get(i + 1));
            }
        }
        assertTrue(looks > 0);
        assertEquals(
                0, example.bus().load(example.map().window() + VirtioMmio.INTERRUPT_STATUS, 4));
        assertFalse(example.interrupts().isPending());
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "4"})
    void theConfigurationIsReadAndWrittenInAccessesOfAnyWidth(int width) {
        for (Examples kind : Examples.values()) {
            Example example = kind.make(Habits.LINUX.withConfigWidth(width));
            example.boot();

            example.inflateTo(1000);
            example.inflateTo(255);
            example.inflateTo(513);

            assertEquals(513, example.guest().balloonedPages());
            assertEquals(513, example.balloon().actualPages());
            assertEquals(0, example.balloon().counters().anomalies(), kind.toString());
            boolean asToldTo =
                    example.bus().accesses().stream()
                            .filter(access -> access.offset() >= VirtioMmio.CONFIG)
                            .allMatch(access -> access.width() == width);
            assertTrue(asToldTo);
        }
    }

    @ParameterizedTest
    @EnumSource
    void actualIsWrittenAndTheTargetReadAgainAfterEachRequest(Examples kind) {
        Example example = kind.make();
        example.boot();
        example.bus().forget();

        example.inflateTo(1000);

        List<Access> accesses = example.bus().accesses();
        List<Long> actuals =
                accesses.stream()
                        .filter(access -> access.isStore() && access.offset() == ACTUAL)
                        .map(Access::value)
                        .toList();
        assertEquals(List.of(256L, 512L, 768L, 1000L), actuals);
        Access lookAtTarget = new Access(false, VirtioMmio.CONFIG, 4, 1000);
        long looks = accesses.stream().filter(lookAtTarget::equals).count();
        assertEquals(1 + actuals.size(), looks);
    }
}
