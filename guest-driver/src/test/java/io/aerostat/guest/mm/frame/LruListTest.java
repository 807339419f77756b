package io.aerostat.guest.mm.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

final class LruListTest {
    private static final int PAGES = 40;

    static LongStream seeds() {
        return Seeds.first(20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithAPlainList(long seed) {
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, PAGES * GuestRam.PAGE);
        FrameTable frames = new FrameTable(ram.memory());
        LruList list = new LruList(frames);
        List<Integer> model = new ArrayList<>();
        Random random = new Random(seed);

        for (int step = 0; step < 2000; step++) {
            int pfn = frames.firstPfn() + random.nextInt(PAGES);
            int other = frames.firstPfn() + random.nextInt(PAGES);
            int at = model.indexOf(pfn);
            if (at < 0) {
                list.add(pfn);
                model.add(pfn);
            } else if (model.contains(other)) {
                list.remove(pfn);
                model.remove(/* index */ at);
            } else {
                list.replace(pfn, other);
                model.set(at, other);
            }
            assertEquals(model.size(), list.size(), Seeds.replay(seed));
            int oldest = model.isEmpty() ? LruList.NONE : model.get(0);
            assertEquals(oldest, list.oldest(), Seeds.replay(seed));
        }
        for (int pfn : model) {
            assertEquals(pfn, list.oldest(), Seeds.replay(seed));
            list.remove(pfn);
        }
        assertEquals(LruList.NONE, list.oldest());
    }
}
