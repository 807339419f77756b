package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.STATS;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The statistics buffer: one, filled, always with the same tags. */
final class BalloonStatisticsTest {
    private static final long KIB = 1024;

    private static BalloonRig withSource(StatisticsSource source) {
        return new BalloonRig(
                BalloonRig.OPTIONS, ScriptedBalloon.OFFER | BalloonFeature.STATS_VQ, 16, source);
    }

    /** The entries of a buffer in their order; a tag that is there twice fails the test. */
    private static Map<Integer, Long> entries(BalloonRequest request) {
        ByteBuffer bytes = ByteBuffer.wrap(request.content()).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(0, bytes.limit() % 10, "bytes");
        Map<Integer, Long> entries = new LinkedHashMap<>();
        while (bytes.hasRemaining()) {
            assertNull(entries.put(bytes.getShort() & 0xFFFF, bytes.getLong()), "tag twice");
        }
        return entries;
    }

    @Test
    @DisplayName("BALLOON-DRV-17, -19, DESC-06: a filled buffer is exposed before DRIVER_OK")
    void exposesAFilledBufferBeforeDriverOk() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.STATS_VQ);
        int[] exposed = {0};
        rig.bus.beforeStore(
                MmioRegister.STATUS,
                () -> {
                    List<Long> rings = rig.bus.stores(MmioRegister.QUEUE_DRIVER_LOW);
                    exposed[0] = rings.size() == 3 ? rig.ram.le16(rings.get(2) + 2) : 0;
                });

        rig.started();

        // The last such write was DRIVER_OK.
        assertEquals(1, exposed[0]);
        assertEquals(3, entries(rig.device.statistics()).size());
    }

    @Test
    @DisplayName("BALLOON-DESC-07, INIT-DRV-14: the first buffer is kicked after DRIVER_OK")
    void kicksForTheFirstBufferAfterDriverOk() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.STATS_VQ);

        rig.driver.start();

        int driverOk = rig.bus.indexOfStore(MmioRegister.STATUS, 15);
        int kick = rig.bus.indexOfStore(MmioRegister.QUEUE_NOTIFY, STATS);
        assertTrue(kick > driverOk, "kick at " + kick);
        assertEquals(List.of(2L), rig.bus.stores(MmioRegister.QUEUE_NOTIFY));
    }

    @Test
    @DisplayName("BALLOON-DRV-16, -18, DESC-12: each returned buffer is answered by one other")
    void answersEachRequestWithOneBuffer() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.STATS_VQ).started();

        for (int round = 1; round <= 100; round++) {
            rig.device.returnStatistics();
            assertNull(rig.device.statistics());
            rig.step();
            // The device fails the test if there are two.
            assertEquals(round + 1, rig.device.log(STATS).size());
            assertEquals(0, rig.step());
        }

        assertEquals(101, rig.driver.counters().get(DriverCounter.STATISTICS_SENT));
    }

    @Test
    @DisplayName("BALLOON-DRV-19, DESC-13: entries are le16 tag, le64 value, packed")
    void writesEntriesOf10Bytes() {
        BalloonRig rig =
                withSource(
                        into -> {
                            into.put(StatTag.MEMFREE, 0x0102030405060708L);
                            into.put(0xFFFE, -1);
                        });

        rig.started();

        byte[] expected = {
            4, 0, 8, 7, 6, 5, 4, 3, 2, 1, (byte) 0xFE, -1, -1, -1, -1, -1, -1, -1, -1, -1
        };
        assertArrayEquals(expected, rig.device.statistics().content());
    }

    @Test
    @DisplayName("BALLOON-DRV-19: values are those of the moment of the request")
    void tellsTheValuesOfTheMoment() {
        long[] now = {5};
        BalloonRig rig = withSource(into -> into.put(StatTag.MAJFLT, now[0])).started();
        long first = entries(rig.device.statistics()).get(2);
        now[0] = 6;

        rig.device.returnStatistics();
        rig.step();

        assertEquals(5, first);
        assertEquals(6, entries(rig.device.statistics()).get(2));
    }

    @Test
    @DisplayName("BALLOON-DRV-21, -22, -23: any tags in any order, the same in every buffer")
    void keepsToTheTagsOfTheFirstBuffer() {
        int[] turn = {0};
        BalloonRig rig =
                withSource(
                        into -> {
                            turn[0]++;
                            if (turn[0] % 2 == 1) {
                                into.put(StatTag.CACHES, turn[0]);
                                into.put(StatTag.SWAP_IN, turn[0]);
                            } else {
                                into.put(StatTag.SWAP_IN, turn[0]);
                                into.put(StatTag.SWAP_IN, turn[0]);
                            }
                        });

        rig.started();
        rig.device.returnStatistics();
        rig.step();

        List<Integer> tags = new ArrayList<>(entries(rig.device.statistics()).keySet());
        assertEquals(List.of(7, 0), tags);
        assertEquals(Map.of(7, 1L, 0, 2L), entries(rig.device.statistics()));
    }

    @Test
    void refusesATagThatTheFirstCollectionDidNotHave() {
        int[] tag = {1};
        BalloonRig rig = withSource(into -> into.put(tag[0], 1)).started();
        tag[0] = 2;

        rig.device.returnStatistics();

        assertThrows(IllegalStateException.class, rig::step);
    }

    @Test
    void refusesASourceWithoutStatistics() {
        BalloonRig rig = withSource(into -> {});

        assertThrows(IllegalStateException.class, rig.driver::start);

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 65536})
    void refusesTagsOutOfRange(int tag) {
        BalloonRig rig = withSource(into -> into.put(tag, 1));

        assertThrows(IllegalArgumentException.class, rig.driver::start);
    }

    @Test
    void refusesMoreTagsThanThereIsRoomFor() {
        BalloonRig rig =
                withSource(
                        into -> {
                            for (int tag = 0; tag <= StatisticsBuffer.MAX_ENTRIES; tag++) {
                                into.put(tag, 1);
                            }
                        });

        assertThrows(IllegalStateException.class, rig.driver::start);
    }

    @Test
    void tellsWhatTheAllocatorKnowsUnlessToldMore() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.STATS_VQ).inflatedTo(500);
        rig.takeByOthers(100);

        rig.device.returnStatistics();
        rig.step();

        Map<Integer, Long> told = entries(rig.device.statistics());
        long free = rig.pages.freePages() * 4 * KIB;
        assertEquals(Map.of(4, free, 5, 1000 * 4 * KIB, 6, free), told);
    }

    @Test
    void countsTheBalloonAsMemoryIfItMayDeflateOnOom() {
        BalloonRig rig =
                BalloonRig.with(BalloonFeature.STATS_VQ | BalloonFeature.DEFLATE_ON_OOM)
                        .inflatedTo(500);

        rig.device.returnStatistics();
        rig.step();

        assertEquals(1500 * 4 * KIB, entries(rig.device.statistics()).get(5));
    }

    @Test
    void sendsNoStatisticsUnlessNegotiated() {
        BalloonRig rig = BalloonRig.without(BalloonFeature.STATS_VQ).started();

        rig.settle();

        assertFalse((rig.driver.features() & BalloonFeature.STATS_VQ) != 0);
        assertEquals(0, rig.device.log(STATS).size());
    }

    @Test
    void tellsTheSameTagsAfterAReset() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.STATS_VQ).started();
        Map<Integer, Long> before = entries(rig.device.statistics());
        rig.device.needReset();
        rig.step();

        rig.waitForRetry();
        rig.settle();

        assertEquals(before.keySet(), entries(rig.device.statistics()).keySet());
    }
}
