package io.aerostat.balloon;

import static io.aerostat.virtio.spec.balloon.BalloonQueue.DEFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.FREE_PAGE_HINT;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.INFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.REPORTING;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.RecordingReclaimer;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.balloon.BalloonQueue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** A device that goes on where another one was saved, on a host whose pages have another size. */
final class BalloonRestoreElsewhereTest {
    private static final int SMALL = 1 << 12;
    private static final int LARGE = 1 << 21;

    /** Pages of a large unit. */
    private static final int UNIT = 512;

    @ParameterizedTest
    @ValueSource(longs = {SnapshotRig.ALL_FEATURES, SnapshotRig.ALL_FEATURES & ~1L})
    void onAHostWithLargerPagesThoseAreCompleteThatAreWhollyInTheBalloon(long features)
            throws SnapshotException {
        SnapshotRig rig = new SnapshotRig(SnapshotRig.OPTIONS, SMALL).start(features);
        RecordingReclaimer large = new RecordingReclaimer(rig.ram, LARGE);
        int second = UNIT - SnapshotRig.DATA_PAGE;
        rig.offer(INFLATE, rig.dataRun(second - 10, UNIT + 30));
        rig.settle();

        rig.succeed(0, rig.newDevice(rig.options, large));
        long pages = rig.device.ledgerPages();
        long incomplete = rig.device.incompletePages();
        rig.offer(DEFLATE, rig.dataRun(second + 7, 1));
        rig.settle();

        assertEquals(UNIT + 30, pages);
        assertEquals(30, incomplete);
        assertEquals(List.of(), large.takeDiscards());
        assertEquals(UNIT + 29, rig.device.incompletePages());
        assertEquals(1, rig.counter(BalloonCounter.HOST_PAGES_BROKEN_UP));
    }

    @Test
    void onAHostWithLargerPagesOneIsCompletedByWhatWasMissing() throws SnapshotException {
        SnapshotRig rig =
                new SnapshotRig(SnapshotRig.OPTIONS, SMALL).start(SnapshotRig.ALL_FEATURES);
        RecordingReclaimer large = new RecordingReclaimer(rig.ram, LARGE);
        int second = UNIT - SnapshotRig.DATA_PAGE;
        rig.offer(INFLATE, rig.dataRun(second, UNIT - 1));
        rig.settle();

        rig.succeed(0, rig.newDevice(rig.options, large));
        long incomplete = rig.device.incompletePages();
        rig.offer(INFLATE, rig.dataRun(second + UNIT - 1, 1));
        rig.settle();

        assertEquals(UNIT - 1, incomplete);
        assertEquals(0, rig.device.incompletePages());
        assertEquals(List.of(rig.data(second) + "+" + UNIT), large.takeDiscards());
    }

    @Test
    void onAHostWithSmallerPagesAllAreComplete() throws SnapshotException {
        SnapshotRig rig =
                new SnapshotRig(SnapshotRig.OPTIONS, LARGE).start(SnapshotRig.ALL_FEATURES);
        int second = UNIT - SnapshotRig.DATA_PAGE;
        rig.offer(INFLATE, rig.dataRun(second - 10, UNIT + 30));
        rig.settle();
        long incomplete = rig.device.incompletePages();
        RecordingReclaimer small = new RecordingReclaimer(rig.ram, SMALL);
        RecordingReclaimer middle = new RecordingReclaimer(rig.ram, 1 << 14);

        rig.succeed(0, rig.newDevice(rig.options, middle));
        long inMiddle = rig.device.incompletePages();
        rig.succeed(0, rig.newDevice(rig.options, small));
        long inSmall = rig.device.incompletePages();
        rig.succeed(0, rig.newDevice(rig.options, rig.record));

        assertEquals(30, incomplete);
        // Of the ten before and the twenty behind two host pages of four and five are whole.
        assertEquals(30 - 8 - 20, inMiddle);
        assertEquals(0, inSmall);
        assertEquals(30, rig.device.incompletePages());
        assertEquals(UNIT + 30, rig.device.ledgerPages());
    }

    @ParameterizedTest
    @EnumSource(BalloonQueue.class)
    void workGoesOnOnAHostWithLargerPages(BalloonQueue queue) throws SnapshotException {
        SnapshotRig rig =
                new SnapshotRig(SnapshotRig.OPTIONS.withWorkBudget(20), SMALL)
                        .start(SnapshotRig.ALL_FEATURES);
        RecordingReclaimer large = new RecordingReclaimer(rig.ram, LARGE);
        int second = UNIT - SnapshotRig.DATA_PAGE;
        switch (queue) {
            case INFLATE, DEFLATE -> rig.offer(queue, rig.dataRun(second - 10, UNIT + 30));
            case STATS -> rig.supply(1, 1);
            case FREE_PAGE_HINT, REPORTING -> rig.freePages(queue, second - 10, UNIT + 30);
        }
        rig.poll();

        rig.succeed(0, rig.newDevice(rig.options, large));
        rig.settle();
        rig.device.statistics().request();
        rig.settle();

        assertEquals(1, rig.reap(queue));
        assertEquals(
                queue == INFLATE ? List.of(rig.data(second) + "+" + UNIT) : List.of(),
                large.takeDiscards());
    }
}
