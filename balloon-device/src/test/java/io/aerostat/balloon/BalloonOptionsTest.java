package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.spec.balloon.QueueNumbering;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a balloon can be told, and what it refuses. */
final class BalloonOptionsTest {
    private final BalloonOptions options = BalloonOptions.DEFAULT;

    @Test
    void offersByDefaultAllButTheLeaveToTakePagesBack() {
        BalloonRig rig = new BalloonRig();

        assertEquals(0b111011, rig.transport.deviceFeatures() & 0xFF);
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 6, 1L << 28, 1L << 32, -1, Long.MIN_VALUE})
    void refusesFeaturesThatAreNotTheBalloons(long features) {
        assertThrows(IllegalArgumentException.class, () -> options.withFeatures(features));
    }

    @Test
    void refusesARateOrAHoldBelowZero() {
        assertThrows(IllegalArgumentException.class, () -> options.withPagesPerSecond(-1));
        assertThrows(IllegalArgumentException.class, () -> options.withOomHoldNs(-1));
    }

    @Test
    void eachOptionChangesAlone() {
        BalloonOptions all =
                options.withFeatures(5)
                        .withNumbering(QueueNumbering.SPECIFIED)
                        .withQueueSize(64)
                        .withWorkBudget(7)
                        .withPagesPerSecond(8)
                        .withOomHoldNs(9);

        assertEquals(new BalloonOptions(5, QueueNumbering.SPECIFIED, 64, 7, 8, 9), all);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0b000010, 0b001000, 0b010000, 0b001001, 0b111111})
    void theConfigurationEndsWithTheLastFieldThatIsOffered(int features) {
        BalloonRig rig = new BalloonRig(options.withFeatures(features));
        int length = (features & 0b010000) != 0 ? 16 : (features & 0b001000) != 0 ? 12 : 8;

        assertEquals(length, rig.device.config().length());
    }
}
