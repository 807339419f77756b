package io.aerostat.guest.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;
import java.util.TreeSet;

/** The summarised bitmap, against sorted sets and around the sizes where a level is added. */
final class BlockSetTest {

    @Test
    void startsEmpty() {
        BlockSet set = new BlockSet(100);

        assertTrue(set.isEmpty());
        assertEquals(BlockSet.NONE, set.lowest());
        assertEquals(BlockSet.NONE, set.lowestIn(0, 99));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 63, 64, 65, 128, 4095, 4096, 4097, 262_144, 262_145})
    void holdsItsFirstAndItsLastNumber(int capacity) {
        BlockSet set = new BlockSet(capacity);

        set.add(capacity - 1);
        assertEquals(capacity - 1, set.lowest());
        set.add(0);
        assertEquals(0, set.lowest());
        set.remove(0);
        assertEquals(capacity - 1, set.lowestIn(0, capacity - 1));
        set.remove(capacity - 1);

        assertTrue(set.isEmpty());
    }

    @Test
    void findsEverySingleMemberInExactlyTheRangesThatContainIt() {
        int capacity = 150;
        BlockSet set = new BlockSet(capacity);

        for (int member = 0; member < capacity; member++) {
            set.add(member);
            for (int first = 0; first < capacity; first++) {
                for (int last = first; last < capacity; last++) {
                    int expected = first <= member && member <= last ? member : BlockSet.NONE;
                    assertEquals(expected, set.lowestIn(first, last));
                }
            }
            set.remove(member);
        }
    }

    @Test
    void addingAMemberOrRemovingAStrangerChangesNothing() {
        BlockSet set = new BlockSet(5000);
        set.add(4321);

        set.add(4321);
        set.remove(4320);
        set.remove(1);

        assertTrue(set.contains(4321));
        assertFalse(set.contains(4320));
        assertEquals(4321, set.lowest());
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 100, 4096, 5000, 300_000})
    void agreesWithASortedSet(int capacity) {
        long seed = capacity;
        Random random = new Random(seed);
        BlockSet set = new BlockSet(capacity);
        TreeSet<Integer> model = new TreeSet<>();

        for (int step = 0; step < 20_000; step++) {
            int number = random.nextInt(capacity);
            // Mostly removes what is there, so that words and summaries often become empty.
            @Nullable Integer member = model.ceiling(number);
            if (member != null && random.nextInt(100) < 55) {
                set.remove(member);
                model.remove(member);
            } else {
                set.add(number);
                model.add(number);
            }

            String where = "seed=" + seed + ", step=" + step;
            int first = random.nextInt(capacity);
            int last = first + random.nextInt(capacity - first);
            @Nullable Integer next = model.ceiling(first);
            int expected = next != null && next <= last ? next : BlockSet.NONE;
            assertEquals(expected, set.lowestIn(first, last), where);
            assertEquals(model.isEmpty(), set.isEmpty(), where);
            assertEquals(model.isEmpty() ? BlockSet.NONE : model.first(), set.lowest(), where);
            assertEquals(model.contains(first), set.contains(first), where);
        }
    }
}
