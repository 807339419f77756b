package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * All interleavings of a driver and a device that sleep whenever they may.
 *
 * <p>Every order of the steps of {@link SleepySides} is played from the start; when neither side
 * can go on, all buffers must have gone out and come back, each once. A kick or an interrupt lost
 * in any order leaves both asleep with work undone.
 *
 * <p>This shows the protocol right for every order of whole calls. That the calls' own loads and
 * stores are in order is shown by threads, not here.
 */
final class InterleavingTest {
    /**
     * Plays every order of steps. Orders that lead to the same state go on alike, so only one of
     * them goes on.
     *
     * @return how many different states there are
     */
    private static int playAll(SleepySides.Scenario scenario) {
        RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), scenario.size());
        Set<String> states = new HashSet<>();
        Deque<String> schedules = new ArrayDeque<>(List.of(""));
        while (!schedules.isEmpty()) {
            String schedule = schedules.pop();
            SleepySides world = new SleepySides(scenario, ring);
            schedule.chars().forEach(side -> world.step(side - '0'));
            boolean isNew = states.add(world.state());
            if (isNew && world.canStep(0)) {
                schedules.push(schedule + '0');
            }
            if (isNew && world.canStep(1)) {
                schedules.push(schedule + '1');
            }
            if (!world.canStep(0) && !world.canStep(1)) {
                world.check(schedule);
            }
        }
        return states.size();
    }

    @ParameterizedTest
    @CsvSource({
        // size, buffers, batch, disarm, reverse
        "1, 1, 1, false, false",
        "1, 2, 1, false, false",
        "1, 2, 1, true, false",
        "2, 2, 1, true, false",
        "2, 2, 2, true, true",
        "2, 3, 2, false, false",
        "2, 3, 2, true, true",
        "4, 3, 3, true, true",
        "4, 3, 1, false, true",
        "2, 6, 1, true, true",
        "4, 6, 3, true, true",
        "4, 5, 2, false, true"
    })
    void losesNoBufferAndNoNotificationInAnyOrder(
            int size, int buffers, int batch, boolean disarm, boolean reverse) {
        for (long features : new long[] {Rings.NONE_NEGOTIATED, Rings.EVENT}) {
            int states =
                    playAll(
                            new SleepySides.Scenario(
                                    size, buffers, batch, features, disarm, reverse));

            assertTrue(states > 10, "states=" + states);
        }
    }
}
