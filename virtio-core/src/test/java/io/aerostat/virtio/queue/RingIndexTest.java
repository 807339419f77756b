package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Index arithmetic, exhaustively where that is small enough. */
final class RingIndexTest {
    @ParameterizedTest
    @CsvSource({"0, 0, 0", "0, 1, 1", "65535, 1, 0", "65535, 2, 1", "40000, 40000, 14464"})
    void addsModulo65536(int index, int count, int sum) {
        assertEquals(sum, RingIndex.plus(index, count));
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 0", "0, 1, 1", "1, 0, 65535", "65535, 0, 1", "65535, 65534, 65535"})
    void measuresStepsForward(int from, int to, int steps) {
        assertEquals(steps, RingIndex.distance(from, to));
    }

    @ParameterizedTest
    @DisplayName("a step notifies if it stores the entry that the event names (SPLIT-DESC-12)")
    @CsvSource({
        // event, from, to, crosses
        "0, 0, 1, true",
        "0, 1, 2, false",
        "1, 0, 1, false",
        "5, 5, 6, true",
        "5, 6, 7, false",
        "7, 5, 8, true",
        "8, 5, 8, false",
        "4, 5, 8, false",
        "65535, 65535, 0, true",
        "65535, 65534, 65535, false",
        "0, 65534, 1, true",
        "1, 65534, 1, false",
        "0, 0, 0, false",
        "3, 3, 3, false"
    })
    void saysWhetherAStepPassesTheEvent(int event, int from, int to, boolean crosses) {
        assertEquals(crosses, RingIndex.crosses(event, from, to));
    }

    /** For all 65536 events and steps 0 to 300 from around the wrap, entry by entry. */
    @ParameterizedTest
    @DisplayName("agrees with the per-entry rule for every event (SPLIT-DESC-12)")
    @ValueSource(ints = {0, 1, 100, 32767, 32768, 65235, 65236, 65300, 65534, 65535})
    void agreesWithThePerEntryRuleForEveryEvent(int from) {
        for (int step = 0; step <= 300; step++) {
            assertAgrees(from, step);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1023, 1024, 32766, 32767, 32768})
    void agreesWithThePerEntryRuleForLongSteps(int step) {
        for (int from = 0; from < 65536; from += 4099) {
            assertAgrees(from, step);
        }
    }

    @Test
    void singleStepsCrossTheirOwnEntryAlone() {
        for (int from = 0; from < 65536; from++) {
            int to = (from + 1) % 65536;
            boolean own = RingIndex.crosses(from, from, to);
            boolean before = RingIndex.crosses((from + 65535) % 65536, from, to);
            boolean next = RingIndex.crosses(to, from, to);

            assertEquals("true false false", own + " " + before + " " + next, "from=" + from);
        }
    }

    private static void assertAgrees(int from, int step) {
        boolean[] stored = new boolean[65536];
        for (int i = 0; i < step; i++) {
            stored[(from + i) % 65536] = true;
        }
        int to = (from + step) % 65536;
        for (int event = 0; event < 65536; event++) {
            if (stored[event] != RingIndex.crosses(event, from, to)) {
                fail("event=" + event + ", from=" + from + ", step=" + step);
            }
        }
    }
}
