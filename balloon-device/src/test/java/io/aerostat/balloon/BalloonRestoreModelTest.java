package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A random driver and a random host on two machines, one of whose devices is saved and exchanged
 * for another after every step, or after some: nobody can tell the machines apart.
 */
final class BalloonRestoreModelTest {
    private static final int STEPS = 500;
    private static final int SEEDS = 5;

    /** All of RAM is looked at after so many steps; the rings after each. */
    private static final int STEPS_PER_LOOK = 50;

    private final DeviceLog log = new DeviceLog();

    @AfterEach
    void closeLog() {
        log.close();
    }

    static Stream<Arguments> runs() {
        return Stream.of(1 << 12, 1 << 14, 1 << 21)
                .flatMap(
                        unit ->
                                Stream.of(true, false)
                                        .flatMap(
                                                tell ->
                                                        Seeds.first(SEEDS)
                                                                .mapToObj(
                                                                        seed ->
                                                                                Arguments.of(
                                                                                        unit, tell,
                                                                                        seed))));
    }

    @ParameterizedTest(name = "unit={0}, mustTellHost={1}, seed={2}")
    @MethodSource("runs")
    void aRestoredDeviceDoesWhatTheSavedOneWouldHaveDone(
            int unitBytes, boolean mustTellHost, long seed) throws SnapshotException {
        RandomPlay plain = new RandomPlay(unitBytes, mustTellHost, seed);
        RandomPlay saved = new RandomPlay(unitBytes, mustTellHost, seed);
        Random when = new Random(~seed);
        boolean always = seed % 2 == 0;

        for (int step = 0; step < STEPS; step++) {
            plain.step();
            saved.step();
            String where = "step " + step + ", " + Seeds.replay(seed);
            assertEquals(plain.rig.record.takeReuses(), saved.rig.record.takeReuses(), where);
            if (always || when.nextInt(4) == 0) {
                exchange(plain, saved, when);
            }

            assertEquals(plain.rig.state(), saved.rig.state(), where);
            assertEquals(plain.rig.record.takeDiscards(), saved.rig.record.takeDiscards(), where);
            assertEquals(plain.rig.record.takeReuses(), saved.rig.record.takeReuses(), where);
            assertArrayEquals(plain.rig.ringBytes(), saved.rig.ringBytes(), where);
            assertEquals(plain.trace, saved.trace, where);
            if (step % STEPS_PER_LOOK == 0) {
                assertArrayEquals(plain.rig.ramBytes(), saved.rig.ramBytes(), where);
            }
        }
        assertArrayEquals(plain.rig.ramBytes(), saved.rig.ramBytes(), Seeds.replay(seed));
        assertTrue(plain.rig.counter(BalloonCounter.PAGES_INFLATED) > 0, Seeds.replay(seed));
    }

    /**
     * Another device goes on. It looks at all queues, so the plain machine's are kicked; and it
     * takes the first time that it sees for the time when it was saved.
     */
    private static void exchange(RandomPlay plain, RandomPlay saved, Random when)
            throws SnapshotException {
        long originNs = when.nextLong() >> 2;
        switch (when.nextInt(8)) {
            case 0 -> saved.rig.restoreInPlace(originNs);
            case 1 -> saved.rig.goBack(originNs);
            case 2 -> {
                // Saved again before it has seen the clock: no time has passed.
                saved.rig.succeed(originNs);
                saved.rig.succeed(~originNs);
            }
            default -> saved.rig.succeed(originNs);
        }
        // The reclaimer was told of what the restored device had in its balloon before.
        saved.rig.record.takeReuses();
        plain.rig.kickAll();
        plain.rig.poll();
        saved.rig.poll();
    }

    /** What the steps of all runs have led to, or the test above tests little. */
    @ParameterizedTest
    @MethodSource("units")
    void theRunsAreRich(int unitBytes) {
        Map<BalloonCounter, Long> sum = new EnumMap<>(BalloonCounter.class);
        int faults = 0;
        int midRequest = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            for (boolean mustTellHost : new boolean[] {true, false}) {
                RandomPlay play = new RandomPlay(unitBytes, mustTellHost, seed);
                for (int step = 0; step < STEPS; step++) {
                    play.step();
                    faults += play.rig.needsReset() ? 1 : 0;
                    midRequest += play.isInsideRequest() ? 1 : 0;
                }
                for (BalloonCounter counter : BalloonCounter.values()) {
                    sum.merge(counter, play.rig.counter(counter), Long::sum);
                }
            }
        }

        for (BalloonCounter counter : BalloonCounter.values()) {
            boolean impossible =
                    switch (counter) {
                        case EARLY_USES, USES_OF_BALLOONED_PAGES -> true;
                        case HOST_PAGES_COMPLETED, HOST_PAGES_BROKEN_UP -> unitBytes == 1 << 12;
                        default -> false;
                    };
            assertEquals(impossible, sum.get(counter) == 0, counter + " " + sum);
        }
        assertTrue(faults > 10 && midRequest > 100, faults + " " + midRequest);
    }

    static Stream<Integer> units() {
        return Stream.of(1 << 12, 1 << 14, 1 << 21);
    }
}
