package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.REPORTS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.BitSet;
import java.util.Random;

/**
 * Random reports, right and wrong ones, among inflates: which pages are given back, what is
 * counted, and every byte of RAM, against bit sets.
 */
final class ReportingModelTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 400;
    private static final long BASE = 2L << 20;
    private static final long FEATURES = ALL_FEATURES & ~BalloonFeature.PAGE_POISON;

    @ParameterizedTest
    @CsvSource({
        "BYTE_ARRAY, 0x1000",
        "ADJACENT_REGIONS, 0x1000",
        "BYTE_ARRAY, 0x4000",
        "ADJACENT_REGIONS, 0x4000",
        "BYTE_ARRAY, 0x10000",
    })
    void agreesWithSets(GuestRam.Kind kind, String unit) {
        for (long seed : Seeds.first(12).toArray()) {
            new Run(seed, kind, Integer.decode(unit), 1 << 16).play();
        }
    }

    /** Then what is given back depends on where passes end, but never on more than was reported. */
    @ParameterizedTest
    @CsvSource({"BYTE_ARRAY, 0x1000, 5", "BYTE_ARRAY, 0x4000, 1", "ADJACENT_REGIONS, 0x4000, 13"})
    void staysWithinWhatWasReportedWhateverTheBudget(GuestRam.Kind kind, String unit, int budget) {
        for (long seed : Seeds.first(12).toArray()) {
            new Run(seed, kind, Integer.decode(unit), budget).play();
        }
    }

    /** Pages are counted from the start of RAM. */
    private static final class Run {
        private final Random random;
        private final BalloonRig rig;
        private final int unit;
        private final int firstWhole;
        private final boolean inOnePass;
        private final String replay;
        private final BitSet balloon = new BitSet();
        private long malformed;
        private long ballooned;
        private long reports;
        private long bytes;
        private long inflated;

        Run(long seed, GuestRam.Kind kind, int unitBytes, int budget) {
            random = new Random(seed);
            replay = Seeds.replay(seed);
            unit = unitBytes / PAGE;
            inOnePass = budget == 1 << 16;
            GuestRam ram = GuestRam.of(kind, BASE, PAGES * PAGE);
            BalloonOptions options = BalloonOptions.DEFAULT.withWorkBudget(budget);
            rig = new BalloonRig(ram, options, unitBytes).start(FEATURES);
            // Up to page 15 each page is a region: no larger host page lies in one.
            firstWhole = kind == GuestRam.Kind.ADJACENT_REGIONS && unit > 1 ? 16 : 0;
        }

        void play() {
            for (int step = 0; step < 40; step++) {
                if (random.nextInt(4) == 0) {
                    inflate();
                }
                BitSet reported = new BitSet();
                int offered = 1 + random.nextInt(3);
                for (int i = 0; i < offered; i++) {
                    offer(reported);
                }
                reports += offered;
                byte[] before = rig.snapshot();
                int used = rig.rings[REPORTS].usedIdx();
                boolean[] early = {false};
                rig.reclaimer.duringDiscard(
                        () -> early[0] |= inOnePass && rig.rings[REPORTS].usedIdx() != used);
                rig.kick(REPORTS);
                rig.settle();
                assertEquals(offered, rig.reap(REPORTS), replay);
                assertFalse(early[0], replay);
                check(before, reported);
            }
        }

        private void inflate() {
            int from = DATA_PAGE + random.nextInt(PAGES - DATA_PAGE - 20);
            int length = 1 + random.nextInt(20);
            long asked = rig.counter(BalloonCounter.BYTES_ASKED);
            rig.offer(INFLATE, rig.dataRun(from - DATA_PAGE, length));
            rig.kick(INFLATE);
            rig.settle();
            rig.reap(INFLATE);
            balloon.set(from, from + length);
            rig.reclaimer.takeDiscards();
            inflated += rig.counter(BalloonCounter.BYTES_ASKED) - asked;
        }

        /** A report of one to four elements, of data pages or anything. */
        private void offer(BitSet reported) {
            int elements = 1 + random.nextInt(4);
            int readable = random.nextInt(6) == 0 ? 1 : 0;
            long[] gpas = new long[elements];
            long[] lengths = new long[elements];
            for (int i = 0; i < elements; i++) {
                int from =
                        random.nextInt(12) == 0
                                ? 0
                                : DATA_PAGE + random.nextInt(PAGES - DATA_PAGE - 2 * unit - 32);
                int shift = random.nextInt(8) == 0 ? random.nextInt(PAGE) : 0;
                gpas[i] = rig.gpa(from) + shift;
                int cut = random.nextInt(8) == 0 ? random.nextInt(PAGE) : 0;
                // Of the pages before the data only rings are named, which stay whatever is said.
                int most = from == 0 ? 6 : 2 * unit + 30;
                lengths[i] = (1L + random.nextInt(most)) * PAGE - cut;
                lengths[i] -= from == 0 ? Math.min(shift, lengths[i] - 1) : 0;
                if (i < readable) {
                    malformed++;
                    continue;
                }
                bytes += lengths[i];
                int first = from + (shift > 0 ? 1 : 0);
                int end = (int) ((gpas[i] + lengths[i] - rig.gpa(0)) / PAGE);
                malformed += (long) Math.max(0, end - first) * PAGE == lengths[i] ? 0 : 1;
                if (from > 0 && first < end) {
                    reported.set(first, end);
                }
            }
            rig.offer(REPORTS, gpas, lengths, readable, elements - readable);
        }

        private void check(byte[] before, BitSet reported) {
            BitSet whole = new BitSet();
            int start = (Math.max(DATA_PAGE, firstWhole) / unit) * unit;
            for (int page = start; page + unit <= PAGES; page += unit) {
                if (reported.nextClearBit(page) >= page + unit) {
                    whole.set(page, page + unit);
                }
            }
            BitSet given = new BitSet();
            for (String range : rig.reclaimer.takeDiscards()) {
                int plus = range.indexOf('+');
                int first = Integer.parseInt(range.substring(0, plus)) - rig.pfn(0);
                given.set(first, first + Integer.parseInt(range.substring(plus + 1)));
            }
            rig.assertOnlyDiscarded(before, given.stream().map(rig::pfn).toArray());
            long fromReports = rig.counter(BalloonCounter.BYTES_ASKED) - inflated;
            long spared = rig.counter(BalloonCounter.REPORTED_BYTES_SPARED);
            assertEquals(reports, rig.counter(BalloonCounter.REPORTS), replay);
            assertEquals(bytes, rig.counter(BalloonCounter.BYTES_REPORTED), replay);
            assertEquals(bytes, fromReports + spared, replay);
            assertEquals(malformed, rig.counter(BalloonCounter.MALFORMED_REPORTS), replay);
            assertEquals(balloon.cardinality(), rig.device.ledgerPages(), replay);
            if (inOnePass) {
                assertEquals(whole, given, replay);
                BitSet both = (BitSet) reported.clone();
                both.and(balloon);
                ballooned += both.cardinality();
                assertEquals(
                        ballooned, rig.counter(BalloonCounter.BALLOONED_PAGES_REPORTED), replay);
            } else {
                given.andNot(whole);
                assertEquals(new BitSet(), given, replay);
            }
        }
    }
}
