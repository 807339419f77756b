package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;

/** Figures that cannot be true are counted; an honest guest is never accused. */
@DisplayName("statistics against the balloon that moves meanwhile")
final class ContradictoryStatisticsTest {
    private static final int PAGE = 4096;
    private static final long RAM_PAGES = 513;
    private static final int DATA_PAGES = 400;
    private static final long LENIENT = ALL_FEATURES & ~BalloonFeature.MUST_TELL_HOST;

    private BalloonRig rig = new BalloonRig();

    static LongStream seeds() {
        return Seeds.first(40);
    }

    /** The guest says how many pages are free. */
    private void expose(long freePages) {
        long gpa = rig.write(0, 0, 0);
        rig.ram.putLe16(gpa, 4);
        rig.ram.putLe64(gpa + 2, freePages * PAGE);
        rig.offer(STATS, gpa, 10, false);
        rig.kick(STATS);
    }

    private void tell(long freePages) {
        expose(freePages);
        rig.settle();
    }

    private void ask() {
        rig.device.statistics().request();
        rig.settle();
        assertEquals(1, rig.reap(STATS));
    }

    private long accusations() {
        return rig.counter(BalloonCounter.CONTRADICTORY_STATISTICS);
    }

    @Test
    void aGuestThatCountsBalloonedPagesAsFreeIsCounted() {
        rig.start(ALL_FEATURES);
        tell(RAM_PAGES);
        rig.inflate(rig.dataRun(0, 100));
        ask();
        tell(RAM_PAGES - 99);

        assertEquals(1, accusations());
        ask();
        tell(RAM_PAGES - 100);
        assertEquals(1, accusations());
    }

    @Test
    void moreMemoryThanTheMachineHasIsCountedOncePerBuffer() {
        rig.start(ALL_FEATURES);
        tell(RAM_PAGES + 1);
        rig.pass(BalloonRig.SECOND_NS);
        rig.inflate(rig.data(0));
        assertEquals(1, accusations());

        ask();
        tell(RAM_PAGES + 1);
        assertEquals(2, accusations());
    }

    @Test
    void theFirstFiguresMayBeOlderThanTheBalloon() {
        rig.start(ALL_FEATURES);
        rig.inflate(rig.dataRun(0, 100));

        tell(RAM_PAGES);

        assertEquals(0, accusations());
    }

    @Test
    void figuresOfANewDriverMayBeOlderThanItsBalloon() {
        rig.start(ALL_FEATURES);
        tell(0);
        rig.inflate(rig.dataRun(0, 100));
        ask();
        tell(0);
        rig.start(ALL_FEATURES);
        rig.inflate(rig.dataRun(0, 100));

        tell(RAM_PAGES);

        assertEquals(0, accusations());
    }

    @ParameterizedTest
    @ValueSource(longs = {ALL_FEATURES, LENIENT})
    void figuresMayBeOfBeforeAnInflate(long features) {
        rig.start(features);
        tell(0);
        rig.inflate(rig.dataRun(0, 10));
        ask();
        rig.inflate(rig.dataRun(10, 90));

        tell(RAM_PAGES - 10);

        assertEquals(0, accusations());
    }

    @ParameterizedTest
    @ValueSource(longs = {ALL_FEATURES, LENIENT})
    void figuresMayBeOfAnyTimeWhileTheBalloonWasSmaller(long features) {
        rig.start(features);
        tell(0);
        rig.inflate(rig.dataRun(0, 100));
        ask();
        rig.deflate(rig.dataRun(0, 60));
        rig.inflate(rig.dataRun(0, 60));

        tell(RAM_PAGES - 40);

        assertEquals(0, accusations());
    }

    /** Without MUST_TELL_HOST pages are free once their deflate is available, served or not. */
    @Test
    void pagesOfADeflateThatIsNotServedYetMayBeFree() {
        rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(7)).start(LENIENT);
        tell(0);
        rig.inflate(rig.dataRun(0, 100));
        ask();
        rig.offer(DEFLATE, rig.dataRun(0, 100));
        rig.kick(DEFLATE);

        expose(RAM_PAGES);
        rig.settle();

        assertEquals(0, accusations());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void anHonestGuestIsNeverAccusedWhateverTheBalloonDoes(long seed) {
        Random random = new Random(seed);
        boolean told = random.nextBoolean();
        BalloonOptions options = BalloonOptions.DEFAULT.withWorkBudget(1 + random.nextInt(20));
        rig = new BalloonRig(options).start(told ? ALL_FEATURES : LENIENT);
        ArrayDeque<Integer> free = new ArrayDeque<>();
        for (int page = 0; page < DATA_PAGES; page++) {
            free.add(page);
        }
        long used = RAM_PAGES - DATA_PAGES;
        ArrayDeque<Integer> ballooned = new ArrayDeque<>();
        ArrayDeque<int[]> inflates = new ArrayDeque<>();
        ArrayDeque<int[]> deflates = new ArrayDeque<>();
        boolean mayTell = true;
        for (int step = 0; step < 600; step++) {
            switch (random.nextInt(8)) {
                case 0, 7 -> move(INFLATE, free, inflates, random);
                case 1 -> {
                    int[] pages = move(DEFLATE, ballooned, deflates, random);
                    if (!told) {
                        add(free, pages);
                    }
                    if (rig.queues[STATS].poll() >= 0) {
                        expose(used + free.size());
                    }
                }
                case 2, 3 -> {
                    for (int polls = random.nextInt(10); polls >= 0; polls--) {
                        rig.poll();
                    }
                }
                case 4 -> {
                    while (rig.queues[INFLATE].poll() >= 0) {
                        add(ballooned, inflates.remove());
                    }
                    while (rig.queues[DEFLATE].poll() >= 0) {
                        int[] pages = deflates.remove();
                        if (told) {
                            add(free, pages);
                        }
                    }
                }
                case 5 -> rig.device.statistics().request();
                default -> {
                    if (mayTell || rig.queues[STATS].poll() >= 0) {
                        mayTell = false;
                        expose(used + free.size());
                    }
                }
            }
        }
        rig.settle();

        assertEquals(0, accusations(), () -> Seeds.replay(seed));
        assertEquals(0, rig.counter(BalloonCounter.SURPLUS_STATISTICS));
    }

    private int[] move(
            int queue, ArrayDeque<Integer> from, ArrayDeque<int[]> flight, Random random) {
        int[] pages = new int[Math.min(from.size(), random.nextInt(40))];
        if (pages.length == 0 || rig.queues[queue].freeDescriptors() == 0) {
            return new int[0];
        }
        for (int i = 0; i < pages.length; i++) {
            pages[i] = from.remove();
        }
        int[] pfns = Arrays.stream(pages).map(rig::data).toArray();
        rig.offer(queue, pfns);
        rig.kick(queue);
        flight.add(pages);
        return pages;
    }

    private static void add(ArrayDeque<Integer> to, int[] pages) {
        for (int page : pages) {
            to.add(page);
        }
    }
}
