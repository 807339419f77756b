package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Hosts whose pages are larger than the balloon's: whole units, never more than was named. */
final class GranularityTest {
    private static final int PAGE = 4096;
    private static final int HUGE_BYTES = 2 << 20;

    private static BalloonRig rig(int pages, int granularityBytes) {
        GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, HUGE_BYTES, pages * PAGE);
        return new BalloonRig(ram, BalloonOptions.DEFAULT, granularityBytes).start();
    }

    @ParameterizedTest
    @CsvSource({"0x4000, 512", "0x10000, 512", "0x200000, 1536"})
    void onlyWholeUnitsOfRandomPagesAreTaken(String granularity, int pages) {
        int granularityBytes = Integer.decode(granularity);
        int unit = granularityBytes / PAGE;
        for (long seed : Seeds.first(15).toArray()) {
            Random random = new Random(seed);
            BalloonRig rig = rig(pages, granularityBytes);
            // Runs that mostly fill units, over all pages behind the requests.
            BitSet named = new BitSet();
            for (int i = 0; i < 12; i++) {
                int from = BalloonRig.DATA_PAGE + random.nextInt(pages - BalloonRig.DATA_PAGE);
                named.set(from, Math.min(pages, from + random.nextInt(3 * unit)));
            }
            BitSet whole = new BitSet();
            for (int first = 0; first + unit <= pages; first += unit) {
                if (named.nextClearBit(first) >= first + unit) {
                    whole.set(first, first + unit);
                }
            }
            rig.offer(INFLATE, named.stream().map(rig::pfn).toArray());
            byte[] before = rig.snapshot();

            rig.kick(INFLATE);
            rig.settle();

            rig.assertOnlyDiscarded(before, whole.stream().map(rig::pfn).toArray());
            assertEquals(
                    (long) whole.cardinality() * PAGE,
                    rig.counter(BalloonCounter.BYTES_ASKED),
                    () -> Seeds.replay(seed));
            assertEquals(
                    named.cardinality() - whole.cardinality(),
                    rig.device.incompletePages(),
                    () -> Seeds.replay(seed));
            assertEquals(named.cardinality(), rig.device.ledgerPages());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x4000, 0x1_0000})
    void requestsOfOnePassFillAUnitTogether(int granularityBytes) {
        BalloonRig rig = rig(512, granularityBytes);
        int unit = granularityBytes / PAGE;
        for (int page = unit - 1; page >= 0; page--) {
            rig.offer(INFLATE, rig.data(page));
        }

        rig.kick(INFLATE);
        rig.settle();

        assertEquals(List.of(rig.range(0, unit)), rig.reclaimer.takeDiscards());
        assertEquals(0, rig.device.incompletePages());
    }

    @Test
    void theUnitsOfTheRingsStayWhateverIsNamed() {
        BalloonRig rig = rig(512, 0x1_0000);
        rig.offer(INFLATE, IntStream.range(0, 96).map(rig::pfn).toArray());
        byte[] before = rig.snapshot();

        rig.kick(INFLATE);
        rig.settle();

        rig.assertOnlyDiscarded(before, IntStream.range(16, 96).map(rig::pfn).toArray());
        assertEquals(6, rig.counter(BalloonCounter.PAGES_OF_LIVE_RING));
        assertEquals(10, rig.device.incompletePages());
    }

    @Test
    void deflateNeedsNoWholeUnit() {
        BalloonRig rig = rig(512, 0x1_0000);
        rig.inflate(rig.dataRun(0, 32));

        rig.deflate(rig.data(5));

        assertEquals(1, rig.reclaimer.takeReuses().size());
        assertEquals(31, rig.device.ledgerPages());
    }

    @Test
    void aHostThatTakesNothingCostsTheGuestNothing() {
        BalloonRig rig = rig(512, PAGE);
        rig.reclaimer.acceptAtMost(0);
        rig.offer(INFLATE, rig.dataRun(0, 20));
        byte[] before = rig.snapshot();
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(1, rig.reap(INFLATE));
        rig.assertOnlyDiscarded(before);
        assertEquals(20 * PAGE, rig.counter(BalloonCounter.BYTES_ASKED));
        assertEquals(0, rig.counter(BalloonCounter.BYTES_ACCEPTED));
        assertEquals(20, rig.device.ledgerPages());
        rig.deflate(rig.dataRun(0, 20));
        rig.actual(0);
        assertEquals(0, rig.device.counters().anomalies());
    }

    @Test
    void aHostThatFailsForAWhileIsAskedAgain() {
        BalloonRig rig = rig(512, PAGE);
        rig.reclaimer.acceptAtMost(5 * PAGE);
        rig.inflate(rig.dataRun(0, 20));
        rig.reclaimer.acceptAtMost(Long.MAX_VALUE);

        rig.inflate(rig.dataRun(20, 20));

        assertEquals(40 * PAGE, rig.counter(BalloonCounter.BYTES_ASKED));
        assertEquals(25 * PAGE, rig.counter(BalloonCounter.BYTES_ACCEPTED));
        assertEquals(40, rig.device.ledgerPages());
    }
}
