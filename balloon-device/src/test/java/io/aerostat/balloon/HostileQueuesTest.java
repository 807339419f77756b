package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.HINTS;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.REPORTS;
import static io.aerostat.balloon.BalloonRig.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.range.PageReclaimer.Content;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.HostileDriver;
import io.aerostat.virtio.testkit.HostileRing;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.testkit.Seeds;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;
import java.util.stream.LongStream;

/** Broken rings on each of the five queues: a fault, no harm to the others, and a second life. */
@DisplayName("STATUS-DEV-03, -04: hostile rings on every queue")
final class HostileQueuesTest {
    private static final int PAGE = 4096;
    private static final int QUEUES = 5;
    private static final long FEATURES = ALL_FEATURES & ~BalloonFeature.PAGE_POISON;

    static LongStream seeds() {
        return Seeds.first(60);
    }

    private static void serve(BalloonRig rig, int queue) {
        rig.kick(queue);
        rig.settle();
    }

    /** Gives every queue but one something that it keeps. */
    private static void fillOthers(BalloonRig rig, int broken) {
        if (broken != INFLATE) {
            rig.inflate(rig.dataRun(0, 3));
        }
        if (broken != STATS) {
            long gpa = rig.write(0, 0, 0);
            rig.ram.putLe16(gpa, 4);
            rig.offer(STATS, gpa, 10, false);
            serve(rig, STATS);
        }
        if (broken != HINTS) {
            rig.device.hinting().start();
            rig.settle();
            rig.offer(HINTS, rig.write(rig.transport.readConfig(8)), 4, false);
            rig.offer(HINTS, rig.gpa(DATA_PAGE + 20), 5L * PAGE, true);
            serve(rig, HINTS);
        }
        rig.reclaimer.takeDiscards();
    }

    private static void assertOthersKept(BalloonRig rig, int broken, String where) {
        assertEquals(broken == INFLATE ? 0 : 3, rig.device.ledgerPages(), where);
        assertEquals(broken != STATS, rig.device.statistics().latest().isPresent(), where);
        assertEquals(broken == HINTS ? 0 : 5, rig.device.hinting().hintedPages(), where);
        assertEquals(0, rig.rings[STATS].usedIdx(), where);
    }

    @ParameterizedTest
    @ValueSource(ints = {INFLATE, DEFLATE, STATS, HINTS, REPORTS})
    void everyBrokenRingStopsTheDeviceForItsReasonAndNoMore(int queue) {
        for (HostileRing broken : HostileRing.values()) {
            String where = "queue " + queue + ", " + broken;
            BalloonRig rig = new BalloonRig();
            long indirect = broken.wantsIndirect() ? Feature.INDIRECT_DESC : 0;
            rig.start((FEATURES & ~Feature.INDIRECT_DESC) | indirect);
            fillOthers(rig, queue);
            int used = rig.rings[queue].usedIdx();
            broken.writeTo(rig.rings[queue], rig.gpa(DATA_PAGE + 100), rig.gpa(DATA_PAGE + 101));
            byte[] before = rig.snapshot();

            serve(rig, queue);

            rig.assertFault(broken.expected());
            assertEquals(used, rig.rings[queue].usedIdx(), where);
            assertOthersKept(rig, queue, where);
            rig.assertOnlyDiscarded(before);
            assertWorksAfterAReset(rig, where);
        }
    }

    private static void assertWorksAfterAReset(BalloonRig rig, String where) {
        rig.start(FEATURES);
        fillOthers(rig, -1);
        rig.deflate(rig.data(0));
        rig.offer(REPORTS, rig.gpa(DATA_PAGE + 50), PAGE, true);
        serve(rig, REPORTS);

        assertEquals(2, rig.device.ledgerPages(), where);
        assertEquals(1, rig.reap(REPORTS), where);
        assertEquals(5, rig.device.hinting().hintedPages(), where);
        assertTrue(rig.device.statistics().latest().isPresent(), where);
        assertFalse(rig.needsReset(), where);
    }

    @ParameterizedTest
    @ValueSource(ints = {INFLATE, DEFLATE, STATS, HINTS, REPORTS})
    void aRingFullOfTheLongestChainsIsServedInManyShortPasses(int queue) {
        int entries = 1024;
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(64)).start(FEATURES);
        long table = rig.gpa(BalloonRig.INDIRECT_PAGE);
        int write = queue == HINTS || queue == REPORTS ? RingBytes.WRITE : 0;
        for (int i = 0; i < entries; i++) {
            int flags = write | (i + 1 < entries ? RingBytes.NEXT : 0);
            RingBytes.descriptorAt(
                    rig.ram, table + 16L * i, rig.gpa(DATA_PAGE), PAGE, flags, i + 1);
        }
        for (int i = 0; i < BalloonRig.QUEUE_SIZE; i++) {
            rig.rings[queue].descriptor(i, table, 16L * entries, RingBytes.INDIRECT, 0);
            rig.rings[queue].offer(i);
        }
        rig.kick(queue);
        int most = 0;
        int used = 0;

        while (rig.poll() != 0) {
            most = Math.max(most, rig.rings[queue].usedIdx() - used);
            used = rig.rings[queue].usedIdx();
        }

        // The statistics read a few hundred entries of a buffer, and hold the last.
        assertTrue(most <= (queue == STATS ? 16 : 1), "buffers in one pass: " + most);
        int held = queue == STATS ? 1 : 0;
        assertEquals(BalloonRig.QUEUE_SIZE - held, rig.rings[queue].usedIdx());
        assertFalse(rig.needsReset());
    }

    /** The host leaves discarded pages as they are: whatever changes, the device has written. */
    @ParameterizedTest
    @MethodSource("seeds")
    void whateverADriverWritesNothingIsThrownAndNothingButUsedRingsIsWritten(long seed) {
        Random random = new Random(seed);
        BalloonRig rig =
                new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(1 + random.nextInt(200)));
        rig.reclaimer.content(Content.UNCHANGED);
        HostileDriver[] drivers = new HostileDriver[QUEUES];
        for (int queue = 0; queue < QUEUES; queue++) {
            long tables = rig.gpa(BalloonRig.INDIRECT_PAGE + queue);
            drivers[queue] = new HostileDriver(random, rig.rings[queue], tables);
        }
        for (int life = 0; life < 12; life++) {
            rig.start(random.nextBoolean() ? ALL_FEATURES : FEATURES & ~1L);
            if (random.nextBoolean()) {
                rig.device.hinting().start();
            }
            for (int step = 0; step < 60 && !rig.needsReset(); step++) {
                for (int queue = 0; queue < QUEUES; queue++) {
                    drivers[queue].step();
                    if (random.nextInt(3) == 0) {
                        rig.kick(queue);
                    }
                }
                if (random.nextInt(6) == 0) {
                    rig.device.statistics().request();
                    rig.transport.writeConfig(4 * random.nextInt(4), random.nextInt());
                    rig.device.onGuestAccess(random.nextInt(1 << 22), verdict -> {});
                }
                byte[] before = rig.snapshot();
                rig.nowNs += random.nextInt(1000);
                rig.poll();
                rig.assertOnlyDiscarded(before);
            }
            rig.settle();
            assertLedgerIsSound(rig, seed);
        }
    }

    private static void assertLedgerIsSound(BalloonRig rig, long seed) {
        long[] pages = {0};
        rig.device.ballooned().forEachRange((pfn, count) -> pages[0] += count);
        assertEquals(pages[0], rig.device.ledgerPages(), () -> Seeds.replay(seed));
        rig.transport.reset();
        assertEquals(0, rig.device.ledgerPages());
    }
}
