package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.RecordingReclaimer;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.LongStream;

/**
 * Random requests, garbage among them, step by step against sets of page numbers: ledger, counters,
 * what the host was asked, and every byte of RAM.
 */
final class BalloonModelTest {
    private static final int STEPS = 40;
    private static final int PAGES = 256;
    private static final int RING_PAGES = 6;
    private static final int DATA_PAGES = PAGES - BalloonRig.DATA_PAGE;

    static LongStream seeds() {
        return Seeds.first(12);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithSetsWhenEachStepIsOnePass(long seed) {
        new Run(seed, BalloonOptions.DEFAULT.withWorkBudget(1 << 16)).play();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesWithSetsWhateverTheBudget(long seed) {
        Run run = new Run(seed, BalloonOptions.DEFAULT.withWorkBudget(1 + (int) (seed * 29 % 97)));
        run.inManyPasses = true;
        run.play();
    }

    /** One seed's balloon and its model, side by side. */
    private static final class Run {
        private final long seed;
        private final Random random;
        private final BalloonRig rig;
        private final SortedSet<Integer> balloon = new TreeSet<>();
        private final Map<BalloonCounter, Long> counters = new EnumMap<>(BalloonCounter.class);
        private byte[] content;
        private int step;

        /** Then what is named twice is not told apart: it depends on where passes end. */
        private boolean inManyPasses;

        Run(long seed, BalloonOptions options) {
            this.seed = seed;
            random = new Random(seed);
            GuestRam ram = GuestRam.of(GuestRam.Kind.WITH_HOLE, PAGES * GuestRam.PAGE);
            rig = new BalloonRig(ram, options, GuestRam.PAGE).start();
        }

        void play() {
            for (step = 0; step < STEPS; step++) {
                List<int[]> inflates = requests(INFLATE);
                List<int[]> deflates = inManyPasses ? List.of() : requests(DEFLATE);
                content = rig.snapshot();
                // Whatever is kicked first, deflates are served first.
                SortedSet<Integer> reused = deflate(deflates);
                SortedSet<Integer> discarded = inflate(inflates);
                rig.kick(INFLATE);
                rig.kick(DEFLATE);
                rig.settle();
                check(discarded, reused);
                if (inManyPasses) {
                    List<int[]> later = requests(DEFLATE);
                    content = rig.snapshot();
                    rig.kick(DEFLATE);
                    rig.settle();
                    check(new TreeSet<>(), deflate(later));
                }
                guestWrites();
            }
        }

        /** Offers some requests and returns the page numbers that each names. */
        private List<int[]> requests(int queue) {
            List<int[]> requests = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                int[] pfns = pfns(1 + random.nextInt(random.nextBoolean() ? 6 : 200));
                int surplus = random.nextInt(5) == 0 ? 1 + random.nextInt(3) : 0;
                long gpa = rig.write(Arrays.copyOf(pfns, pfns.length + 1));
                long length = 4L * pfns.length + surplus;
                if (random.nextBoolean()) {
                    rig.offer(queue, gpa, length, false);
                } else {
                    long cut = 1L + random.nextInt((int) length - 1);
                    rig.offer(
                            queue,
                            new long[] {gpa, gpa + cut, gpa},
                            new long[] {cut, length - cut, 4},
                            2,
                            random.nextInt(2));
                }
                add(BalloonCounter.PARTIAL_PAGE_NUMBERS, surplus == 0 ? 0 : 1);
                requests.add(pfns);
            }
            return requests;
        }

        private int[] pfns(int count) {
            int[] pfns = new int[count];
            int last = rig.data(random.nextInt(DATA_PAGES));
            for (int i = 0; i < count; i++) {
                last =
                        switch (random.nextInt(20)) {
                            case 0 -> random.nextInt();
                            case 1 -> rig.pfn(random.nextInt(RING_PAGES));
                            case 2 -> rig.pfn(PAGES - 2 + random.nextInt(6));
                            case 3, 4, 5 -> rig.data(random.nextInt(DATA_PAGES));
                            case 6 -> last;
                            case 7, 8, 9 -> last + 1;
                            default -> last - 1;
                        };
                // The requests themselves stay: a guest may name them, but then all is garbage.
                boolean inRequests = last >= rig.pfn(RING_PAGES) && last < rig.data(0);
                last = inRequests ? rig.data(random.nextInt(DATA_PAGES)) : last;
                pfns[i] = last;
            }
            return pfns;
        }

        private boolean isRam(int pfn) {
            int page = pfn - rig.pfn(0);
            return (page >= 0 && page < PAGES) || page == PAGES + 1;
        }

        private boolean isRing(int pfn) {
            int page = pfn - rig.pfn(0);
            return page >= 0 && page < RING_PAGES;
        }

        private SortedSet<Integer> inflate(List<int[]> requests) {
            SortedSet<Integer> pages = take(requests, BalloonCounter.PAGES_INFLATED_TWICE);
            for (int pfn : pages) {
                boolean added = balloon.add(pfn);
                add(added ? BalloonCounter.PAGES_INFLATED : BalloonCounter.PAGES_INFLATED_TWICE, 1);
            }
            add(BalloonCounter.INFLATE_REQUESTS, requests.size());
            add(BalloonCounter.BYTES_ASKED, pages.size() * 4096L);
            add(BalloonCounter.BYTES_ACCEPTED, pages.size() * 4096L);
            return pages;
        }

        private SortedSet<Integer> deflate(List<int[]> requests) {
            SortedSet<Integer> pages = take(requests, BalloonCounter.PAGES_DEFLATED_UNASKED);
            for (int pfn : pages) {
                boolean removed = balloon.remove(pfn);
                add(
                        removed
                                ? BalloonCounter.PAGES_DEFLATED
                                : BalloonCounter.PAGES_DEFLATED_UNASKED,
                        1);
            }
            add(BalloonCounter.DEFLATE_REQUESTS, requests.size());
            return pages;
        }

        /** Pages that may be touched; counts the others. */
        private SortedSet<Integer> take(List<int[]> requests, BalloonCounter repeated) {
            SortedSet<Integer> named = new TreeSet<>();
            for (int[] pfns : requests) {
                for (int pfn : pfns) {
                    add(repeated, named.add(pfn) ? 0 : 1);
                }
            }
            SortedSet<Integer> taken = new TreeSet<>();
            for (int pfn : named) {
                if (!isRam(pfn)) {
                    add(BalloonCounter.PAGES_OUTSIDE_RAM, 1);
                } else if (isRing(pfn)) {
                    add(BalloonCounter.PAGES_OF_LIVE_RING, 1);
                } else {
                    taken.add(pfn);
                }
            }
            return taken;
        }

        private void add(BalloonCounter counter, long amount) {
            if (amount != 0) {
                counters.merge(counter, amount, Long::sum);
            }
        }

        private void check(SortedSet<Integer> discarded, SortedSet<Integer> reused) {
            rig.reap(INFLATE);
            rig.reap(DEFLATE);
            assertEquals(balloon.size(), rig.device.ledgerPages(), this::where);
            assertEquals(discarded, pages(rig.reclaimer.takeDiscards()), this::where);
            assertEquals(reused, pages(rig.reclaimer.takeReuses()), this::where);
            assertEquals(comparable(counters), comparable(rig.counters()), this::where);
            rig.assertOnlyDiscarded(
                    content, discarded.stream().mapToInt(Integer::intValue).toArray());
        }

        /** In many passes a page that is named again may be asked for again, and be counted so. */
        private Map<BalloonCounter, Long> comparable(Map<BalloonCounter, Long> all) {
            Map<BalloonCounter, Long> kept = new EnumMap<>(BalloonCounter.class);
            long named = 0;
            for (Map.Entry<BalloonCounter, Long> entry : all.entrySet()) {
                boolean depends =
                        switch (entry.getKey()) {
                            case BYTES_ASKED, BYTES_ACCEPTED -> inManyPasses;
                            case PAGES_OUTSIDE_RAM,
                                    PAGES_OF_LIVE_RING,
                                    PAGES_INFLATED_TWICE,
                                    PAGES_DEFLATED_UNASKED -> {
                                named += entry.getValue();
                                yield inManyPasses;
                            }
                            default -> false;
                        };
                if (!depends) {
                    kept.put(entry.getKey(), entry.getValue());
                }
            }
            // However they are told apart, none is lost.
            kept.put(BalloonCounter.FALSE_ACTUAL, named);
            return kept;
        }

        private static SortedSet<Integer> pages(List<String> ranges) {
            SortedSet<Integer> pages = new TreeSet<>();
            for (String range : ranges) {
                int plus = range.indexOf('+');
                int first = Integer.parseInt(range.substring(0, plus));
                for (int i = Integer.parseInt(range.substring(plus + 1)); i > 0; i--) {
                    pages.add(first + i - 1);
                }
            }
            return pages;
        }

        /** The guest uses a page that is its own; it must find what it wrote. */
        private void guestWrites() {
            int page = BalloonRig.DATA_PAGE + random.nextInt(DATA_PAGES);
            if (!balloon.contains(rig.pfn(page))) {
                rig.fill(page, random.nextInt(RecordingReclaimer.SCRIBBLE));
            }
        }

        private String where() {
            return "step=" + step + ", " + Seeds.replay(seed);
        }
    }
}
