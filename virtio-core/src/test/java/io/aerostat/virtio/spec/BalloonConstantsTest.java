package io.aerostat.virtio.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.HintCommand;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.spec.balloon.StatEntryLayout;
import io.aerostat.virtio.spec.balloon.StatTag;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The balloon's numbers as literals of VIRTIO 1.4, 5.5. */
final class BalloonConstantsTest {
    @Test
    void featureBitsAreThoseOfTheStandard() {
        assertEquals(1, BalloonFeature.MUST_TELL_HOST);
        assertEquals(2, BalloonFeature.STATS_VQ);
        assertEquals(4, BalloonFeature.DEFLATE_ON_OOM);
        assertEquals(8, BalloonFeature.FREE_PAGE_HINT);
        assertEquals(16, BalloonFeature.PAGE_POISON);
        assertEquals(32, BalloonFeature.PAGE_REPORTING);
    }

    @Test
    void configFieldsLieWhereTheStandardPutsThem() {
        assertEquals(0, BalloonConfigLayout.NUM_PAGES_OFFSET);
        assertEquals(4, BalloonConfigLayout.ACTUAL_OFFSET);
        assertEquals(8, BalloonConfigLayout.FREE_PAGE_HINT_CMD_ID_OFFSET);
        assertEquals(12, BalloonConfigLayout.POISON_VAL_OFFSET);
        assertEquals(16, BalloonConfigLayout.LENGTH);
    }

    @Test
    void pageUnitIsFourKibibytes() {
        assertEquals(12, PageFrame.SHIFT);
        assertEquals(4096, PageFrame.BYTES);
        assertEquals(4, PageFrame.NUMBER_BYTES);
    }

    @Test
    void aStatisticsEntryIsPackedIntoTenBytes() {
        assertEquals(0, StatEntryLayout.TAG_OFFSET);
        assertEquals(2, StatEntryLayout.VALUE_OFFSET);
        assertEquals(10, StatEntryLayout.LENGTH);
    }

    @Test
    void hintCommandsAreThoseOfTheStandard() {
        assertEquals(0, HintCommand.STOP);
        assertEquals(1, HintCommand.DONE);
        assertEquals(2, HintCommand.FIRST_ROUND);
        assertEquals(4, HintCommand.LENGTH);
    }

    @ParameterizedTest
    @CsvSource({
        "0, SWAP_IN, BYTES",
        "1, SWAP_OUT, BYTES",
        "2, MAJFLT, EVENTS",
        "3, MINFLT, EVENTS",
        "4, MEMFREE, BYTES",
        "5, MEMTOT, BYTES",
        "6, AVAIL, BYTES",
        "7, CACHES, BYTES",
        "8, HTLB_PGALLOC, EVENTS",
        "9, HTLB_PGFAIL, EVENTS",
        "10, OOM_KILL, EVENTS",
        "11, ALLOC_STALL, EVENTS",
        "12, ASYNC_SCAN, BYTES",
        "13, DIRECT_SCAN, BYTES",
        "14, ASYNC_RECLAIM, BYTES",
        "15, DIRECT_RECLAIM, BYTES"
    })
    void statisticsHaveTheirTagsAndUnits(int tag, StatTag name, StatTag.Unit unit) {
        assertEquals(tag, name.tag());
        assertEquals(name, StatTag.ofTag(tag));
        assertEquals(unit, name.unit());
    }

    @Test
    void otherTagsHaveNoName() {
        assertEquals(16, StatTag.values().length);
        assertNull(StatTag.ofTag(16));
        assertNull(StatTag.ofTag(0xFFFF));
        assertNull(StatTag.ofTag(-1));
    }

    @ParameterizedTest
    @CsvSource({
        "INFLATE, 0, 0",
        "DEFLATE, 1, 0",
        "STATS, 2, 2",
        "FREE_PAGE_HINT, 3, 8",
        "REPORTING, 4, 32"
    })
    void aQueueExistsWithItsFeatureAlone(BalloonQueue queue, int number, long feature) {
        assertEquals(number, queue.ordinal());
        for (long features = 0; features < 64; features++) {
            boolean expected = feature == 0 || (features & feature) != 0;

            assertEquals(expected, queue.existsWith(features), "features=" + features);
        }
    }
}
