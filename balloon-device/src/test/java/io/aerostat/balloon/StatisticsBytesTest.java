package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.StatsQueueHandler;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;

/** What a buffer of statistics says, however it is made. */
@DisplayName("BALLOON-DESC-13, BALLOON-DEV-04, -05, BALLOON-DRV-20 to -22: entries of 10 bytes")
final class StatisticsBytesTest {
    private final BalloonRig rig = new BalloonRig().start(ALL_FEATURES);
    private int written;

    static LongStream seeds() {
        return Seeds.first(30);
    }

    /** Writes entries, given as tag, value, tag, value and so on; returns where. */
    private long entries(long... tagsAndValues) {
        long gpa = rig.write(new int[(tagsAndValues.length * 5 + 11) / 4]);
        written = tagsAndValues.length * 5;
        for (int i = 0; i < tagsAndValues.length; i += 2) {
            rig.ram.putLe16(gpa + i * 5L, (int) tagsAndValues[i]);
            rig.ram.putLe64(gpa + i * 5L + 2, tagsAndValues[i + 1]);
        }
        return gpa;
    }

    private void offerCut(long gpa, int length, int... cuts) {
        long[] gpas = new long[cuts.length + 1];
        long[] lengths = new long[cuts.length + 1];
        for (int i = 0; i <= cuts.length; i++) {
            int from = i == 0 ? 0 : cuts[i - 1];
            int to = i == cuts.length ? length : cuts[i];
            gpas[i] = gpa + from;
            lengths[i] = (long) to - from;
        }
        rig.offer(STATS, gpas, lengths, gpas.length, 0);
    }

    private GuestStatistics served() {
        rig.kick(STATS);
        rig.settle();
        return rig.device.statistics().latest().orElseThrow();
    }

    @Test
    void everyStatisticOfTheStandardHasItsTag() {
        long[] all = new long[32];
        for (int tag = 0; tag < 16; tag++) {
            all[2 * tag] = tag;
            // None contradicts another: free, available and cached memory are within the total.
            all[2 * tag + 1] = tag == 5 ? 2000 : 1000 + tag;
        }
        offerCut(entries(all), written);

        GuestStatistics figures = served();

        String[] names = {
            "SWAP_IN",
            "SWAP_OUT",
            "MAJFLT",
            "MINFLT",
            "MEMFREE",
            "MEMTOT",
            "AVAIL",
            "CACHES",
            "HTLB_PGALLOC",
            "HTLB_PGFAIL",
            "OOM_KILL",
            "ALLOC_STALL",
            "ASYNC_SCAN",
            "DIRECT_SCAN",
            "ASYNC_RECLAIM",
            "DIRECT_RECLAIM"
        };
        assertEquals(16, figures.known().size());
        for (int tag = 0; tag < 16; tag++) {
            OptionalLong expected = OptionalLong.of(tag == 5 ? 2000 : 1000 + tag);
            assertEquals(expected, figures.value(StatTag.valueOf(names[tag])), names[tag]);
        }
        assertEquals(Map.of(), figures.unknown());
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void absentIsNotZero() {
        offerCut(entries(4, 0), written);

        GuestStatistics figures = served();

        assertEquals(OptionalLong.of(0), figures.value(StatTag.MEMFREE));
        assertEquals(OptionalLong.empty(), figures.value(StatTag.MEMTOT));
        assertEquals(Map.of(StatTag.MEMFREE, 0L), figures.known());
    }

    @Test
    void figuresOfAnEarlierBufferDoNotStay() {
        offerCut(entries(4, 1, 5, 2), written);
        served();
        offerCut(entries(5, 3), written);

        assertEquals(Map.of(StatTag.MEMTOT, 3L), served().known());
    }

    @Test
    void unknownTagsAreKeptByNumberAndHarmNothing() {
        offerCut(entries(4, 1, 0xFFFE, -1, 16, 7, 5, 2, 0xFFFF, 0x8000_0000_0000_0000L), written);

        GuestStatistics figures = served();

        assertEquals(Map.of(StatTag.MEMFREE, 1L, StatTag.MEMTOT, 2L), figures.known());
        assertEquals(Map.of(0xFFFE, -1L, 16, 7L, 0xFFFF, Long.MIN_VALUE), figures.unknown());
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void ofTwoEntriesWithOneTagTheLaterHolds() {
        offerCut(entries(4, 1, 99, 5, 4, 2, 99, 6), written);

        GuestStatistics figures = served();

        assertEquals(Map.of(StatTag.MEMFREE, 2L), figures.known());
        assertEquals(Map.of(99, 6L), figures.unknown());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void anyOrderTellsTheSame(long seed) {
        Random random = new Random(seed);
        Map<Integer, Long> wanted = new TreeMap<>();
        List<Integer> tags = new ArrayList<>();
        for (int i = 1 + random.nextInt(30); i > 0; i--) {
            int tag = 10 + random.nextInt(40);
            if (wanted.put(tag, random.nextLong()) == null) {
                tags.add(tag);
            }
        }
        Collections.shuffle(tags, random);
        long[] pairs = new long[2 * tags.size()];
        Arrays.setAll(pairs, i -> i % 2 == 0 ? tags.get(i / 2) : wanted.get(tags.get(i / 2)));
        long gpa = entries(pairs);
        int length = written;
        int[] cuts = random.ints(random.nextInt(8), 1, length).sorted().distinct().toArray();
        offerCut(gpa, length, cuts);

        GuestStatistics figures = served();

        Map<Integer, Long> told = new TreeMap<>(figures.unknown());
        figures.known().forEach((tag, value) -> told.put(tag.ordinal(), value));
        assertEquals(wanted, told, () -> Seeds.replay(seed));
    }

    @Test
    void aBufferMayBeCutAtAnyTwoBytes() {
        long gpa = entries(4, 0x0123_4567_89AB_CDEFL, 0x8005, 0xFEDC_BA98_7654_3210L);
        for (int first = 1; first < 20; first++) {
            for (int second = first + 1; second <= 20; second++) {
                if (second == 20) {
                    offerCut(gpa, 20, first);
                } else {
                    offerCut(gpa, 20, first, second);
                }
                GuestStatistics figures = served();
                String where = first + ", " + second;
                assertEquals(Map.of(0x8005, 0xFEDC_BA98_7654_3210L), figures.unknown(), where);
                assertEquals(
                        Map.of(StatTag.MEMFREE, 0x0123_4567_89AB_CDEFL), figures.known(), where);
                rig.reap(STATS);
            }
        }
        assertEquals(0, rig.counter(BalloonCounter.MALFORMED_STATISTICS));
    }

    @Test
    void elementsOfOneByteEach() {
        long gpa = entries(4, 0x0123_4567_89AB_CDEFL, 77, 5);
        offerCut(gpa, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);

        assertEquals(OptionalLong.of(0x0123_4567_89AB_CDEFL), served().value(StatTag.MEMFREE));
        assertEquals(Map.of(77, 5L), rig.device.statistics().latest().orElseThrow().unknown());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 9})
    void aTailShorterThanAnEntryIsLeftAlone(int tail) {
        long gpa = entries(4, 1, 5, 2, 6, 3);
        offerCut(gpa, 20 + tail);

        GuestStatistics figures = served();

        assertEquals(Map.of(StatTag.MEMFREE, 1L, StatTag.MEMTOT, 2L), figures.known());
        assertEquals(Map.of(BalloonCounter.MALFORMED_STATISTICS, 1L), rig.anomalies());
    }

    @Test
    @DisplayName("the standard's multiple of 6 is a slip: 30 bytes are three entries, 12 are not")
    void aMultipleOfSixIsNotWhatCounts() {
        long gpa = entries(4, 1, 6, 3, 7, 2);
        offerCut(gpa, 30);
        assertEquals(3, served().known().size());
        assertEquals(0, rig.counter(BalloonCounter.MALFORMED_STATISTICS));

        offerCut(gpa, 12);
        assertEquals(1, served().known().size());
        assertEquals(1, rig.counter(BalloonCounter.MALFORMED_STATISTICS));
    }

    @Test
    void writableElementsAreNeitherReadNorWritten() {
        long gpa = entries(4, 1, 5, 2);
        rig.offer(STATS, new long[] {gpa, gpa + 10}, new long[] {10, 10}, 1, 1);
        byte[] before = rig.snapshot();

        assertEquals(Map.of(StatTag.MEMFREE, 1L), served().known());

        rig.assertOnlyDiscarded(before);
    }

    @Test
    void aBufferOfWritableElementsAloneSaysNothingAndIsHeld() {
        rig.offer(STATS, entries(4, 1), 10, true);

        assertEquals(Map.of(), served().known());
        assertEquals(0, rig.reap(STATS));
        rig.device.statistics().request();
        rig.settle();
        assertEquals(1, rig.reap(STATS));
    }

    @Test
    void onlySoManyEntriesAreRead() {
        long[] many = new long[2 * (StatsQueueHandler.MAX_ENTRIES + 10)];
        for (int i = 0; i < many.length; i += 2) {
            many[i] = 1000L + i / 2;
        }
        long gpa = entries(many);
        offerCut(gpa, written, 7, 2000);

        assertEquals(StatsQueueHandler.MAX_ENTRIES, served().unknown().size());
        assertEquals(Map.of(BalloonCounter.MALFORMED_STATISTICS, 1L), rig.anomalies());
    }

    @Test
    void asManyEntriesAsAreReadAreNotTooMany() {
        long[] many = new long[2 * StatsQueueHandler.MAX_ENTRIES];
        for (int i = 0; i < many.length; i += 2) {
            many[i] = 1000L + i / 2;
        }
        long gpa = entries(many);
        offerCut(gpa, written);

        assertEquals(StatsQueueHandler.MAX_ENTRIES, served().unknown().size());
        assertEquals(Map.of(), rig.anomalies());
    }

    /** As large as RAM allows, and named many times over: more than a GiB by the driver's word. */
    @Test
    void aBufferOfMoreThanAGibibyteCostsNoMore() {
        int bytes = 16 << 20;
        GuestRam ram = GuestRam.of(GuestRam.Kind.DIRECT_BUFFER, bytes);
        BalloonRig large = new BalloonRig(ram, BalloonOptions.DEFAULT, 4096).start(ALL_FEATURES);
        RingBytes ring = large.rings[STATS];
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            int flags = i + 1 < BalloonRig.QUEUE_SIZE ? RingBytes.NEXT : 0;
            ring.descriptor(i, ram.base(), bytes, flags, i + 1);
        }
        ring.offer(0);
        large.kick(STATS);

        large.poll();

        GuestStatistics figures = large.device.statistics().latest().orElseThrow();
        int kept = figures.known().size() + figures.unknown().size();
        assertEquals(1, large.counter(BalloonCounter.STATISTICS));
        assertEquals(1, large.counter(BalloonCounter.MALFORMED_STATISTICS));
        assertFalse(kept == 0 || kept > StatsQueueHandler.MAX_ENTRIES, "kept=" + kept);
        assertFalse(large.needsReset());
    }

    @Test
    void aBrokenChainIsAFaultAndItsFiguresAreNotTaken() {
        RingBytes ring = rig.rings[STATS];
        ring.descriptor(0, entries(4, 1), 10, RingBytes.NEXT, 1);
        ring.descriptor(1, 0, 10, 0, 0);
        ring.offer(0);
        rig.kick(STATS);
        rig.settle();

        rig.assertFault(QueueFault.ELEMENT_OUTSIDE_RAM);
        assertEquals(Optional.empty(), rig.device.statistics().latest());
        assertEquals(0, rig.counter(BalloonCounter.STATISTICS));
        assertEquals(0, ring.usedIdx());
    }

    @Test
    void aBrokenChainBehindMoreThanIsReadIsAFaultToo() {
        RingBytes ring = rig.rings[STATS];
        ring.descriptor(0, rig.gpa(0), 100_000, RingBytes.NEXT, 1);
        ring.descriptor(1, rig.gpa(0), 10, RingBytes.NEXT, 1);
        ring.offer(0);
        rig.kick(STATS);
        rig.settle();

        rig.assertFault(QueueFault.CHAIN_LOOPS);
        assertEquals(Optional.empty(), rig.device.statistics().latest());
    }
}
