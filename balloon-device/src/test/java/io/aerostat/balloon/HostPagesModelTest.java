package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.PAGE_FEATURES;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.BitSet;
import java.util.List;
import java.util.Random;

/**
 * Host pages larger than the balloon's against bit sets: random inflates, deflates and resets, with
 * and without MUST_TELL_HOST, over the edges of regions and rings.
 */
@DisplayName("BALLOON-DEV-02, -03: host pages put together and broken up")
final class HostPagesModelTest {
    private static final int PAGE = 4096;

    /** Where units of 2 MiB begin as well. */
    private static final long BASE = 2L << 20;

    @ParameterizedTest
    @CsvSource({
        "BYTE_ARRAY, 0x4000, 300, true",
        "BYTE_ARRAY, 0x4000, 300, false",
        "WITH_HOLE, 0x4000, 302, true",
        "WITH_HOLE, 0x4000, 302, false",
        "ADJACENT_REGIONS, 0x4000, 300, true",
        "ADJACENT_REGIONS, 0x10000, 400, true",
        "WITH_HOLE, 0x10000, 407, true",
        "WITH_HOLE, 0x10000, 407, false",
        "BYTE_ARRAY, 0x200000, 1536, true",
        "BYTE_ARRAY, 0x200000, 1536, false",
        "WITH_HOLE, 0x200000, 2047, true",
    })
    void agreesWithSets(GuestRam.Kind kind, String unit, int pages, boolean mustTellHost) {
        for (long seed : Seeds.first(10).toArray()) {
            new Run(seed, kind, Integer.decode(unit), pages, mustTellHost).play();
        }
    }

    /** One seed's balloon and its model. Pages are counted from the start of RAM. */
    private static final class Run {
        private final long seed;
        private final Random random;
        private final BalloonRig rig;
        private final long features;
        private final boolean mustTellHost;
        private final int unit;
        private final int pages;
        private final BitSet balloon = new BitSet();
        private final BitSet complete = new BitSet();

        /** Units that lie in one region and hold no ring, by number. */
        private final BitSet possible = new BitSet();

        private long completed;
        private long brokenUp;

        Run(long seed, GuestRam.Kind kind, int unitBytes, int pages, boolean mustTellHost) {
            this.seed = seed;
            this.random = new Random(seed);
            this.unit = unitBytes / PAGE;
            this.pages = pages;
            this.mustTellHost = mustTellHost;
            this.features =
                    mustTellHost ? PAGE_FEATURES : PAGE_FEATURES & ~BalloonFeature.MUST_TELL_HOST;
            GuestRam ram = GuestRam.of(kind, BASE, pages * PAGE);
            BalloonOptions options = BalloonOptions.DEFAULT.withWorkBudget(1 << 16);
            rig = new BalloonRig(ram, options, unitBytes).start(features);
            // Rings: pages 0 to 5. Regions of one page each: pages 0 to 15.
            int first = kind == GuestRam.Kind.ADJACENT_REGIONS ? 16 : 6;
            for (int u = (first + unit - 1) / unit; (u + 1) * unit <= pages; u++) {
                possible.set(u);
            }
        }

        void play() {
            for (int step = 0; step < 60; step++) {
                if (random.nextInt(25) == 0) {
                    rig.start(features);
                    balloon.clear();
                    complete.clear();
                } else if (random.nextInt(3) == 0) {
                    deflate();
                } else {
                    inflate();
                }
                String where = "step " + step + ", " + Seeds.replay(seed);
                assertEquals(completed, rig.counter(BalloonCounter.HOST_PAGES_COMPLETED), where);
                assertEquals(brokenUp, rig.counter(BalloonCounter.HOST_PAGES_BROKEN_UP), where);
                assertEquals(balloon.cardinality(), rig.device.ledgerPages(), where);
                assertEquals(
                        balloon.cardinality() - unit * complete.cardinality(),
                        rig.device.incompletePages(),
                        where);
            }
        }

        /** Pages of one to three requests, offered; in no order, some named twice. */
        private BitSet offer(int queue) {
            BitSet named = new BitSet();
            for (int request = random.nextInt(3); request >= 0; request--) {
                int unitAt = random.nextInt(pages / unit + 1) * unit;
                int from = Math.max(0, unitAt + random.nextInt(5) - 2);
                int length = 1 + random.nextInt(random.nextBoolean() ? unit + 4 : 2 * unit);
                int[] pfns = new int[length];
                for (int i = 0; i < length; i++) {
                    int page = from + (random.nextBoolean() ? i : random.nextInt(length));
                    // The requests themselves are left alone; all behind RAM is no page.
                    boolean inRequests = page >= 6 && page < DATA_PAGE;
                    int taken = inRequests ? DATA_PAGE + page : page;
                    pfns[i] = rig.pfn(taken);
                    if (taken >= 6 && isRam(taken)) {
                        named.set(taken);
                    }
                }
                rig.offer(queue, pfns);
            }
            return named;
        }

        private boolean isRam(int page) {
            return page < pages || (page == pages + 1 && rig.ram.kind() == GuestRam.Kind.WITH_HOLE);
        }

        private void inflate() {
            BitSet named = offer(INFLATE);
            boolean[] early = {false};
            int used = rig.rings[INFLATE].usedIdx();
            rig.reclaimer.duringDiscard(() -> early[0] |= rig.rings[INFLATE].usedIdx() != used);
            rig.kick(INFLATE);
            rig.settle();
            rig.reap(INFLATE);

            balloon.or(named);
            BitSet discarded = units(rig.reclaimer.takeDiscards());
            BitSet allowed = new BitSet();
            possible.stream()
                    .filter(u -> has(mustTellHost ? balloon : named, u) && touches(named, u))
                    .forEach(allowed::set);
            BitSet fresh = (BitSet) allowed.clone();
            fresh.andNot(complete);
            completed += fresh.cardinality();
            complete.or(fresh);
            assertTrue(contains(discarded, fresh), () -> "each once, " + Seeds.replay(seed));
            assertTrue(contains(allowed, discarded), () -> "no other, " + Seeds.replay(seed));
            assertTrue(!early[0], "returned before it was discarded");
        }

        private void deflate() {
            BitSet named = offer(DEFLATE);
            rig.kick(DEFLATE);
            rig.settle();
            rig.reap(DEFLATE);

            balloon.andNot(named);
            BitSet broken = (BitSet) complete.clone();
            complete.stream().filter(u -> !touches(named, u)).forEach(broken::clear);
            brokenUp += broken.cardinality();
            complete.andNot(broken);
            assertEquals(List.of(), rig.reclaimer.takeDiscards());
        }

        private boolean has(BitSet set, int u) {
            return set.nextClearBit(u * unit) >= (u + 1) * unit;
        }

        private boolean touches(BitSet set, int u) {
            int next = set.nextSetBit(u * unit);
            return next >= 0 && next < (u + 1) * unit;
        }

        private static boolean contains(BitSet all, BitSet some) {
            BitSet rest = (BitSet) some.clone();
            rest.andNot(all);
            return rest.isEmpty();
        }

        private BitSet units(List<String> ranges) {
            BitSet units = new BitSet();
            for (String range : ranges) {
                int plus = range.indexOf('+');
                int first = Integer.parseInt(range.substring(0, plus)) - rig.pfn(0);
                int length = Integer.parseInt(range.substring(plus + 1));
                units.set(first / unit, (first + length) / unit);
            }
            return units;
        }
    }
}
