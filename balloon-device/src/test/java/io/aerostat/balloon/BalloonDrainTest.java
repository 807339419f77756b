package io.aerostat.balloon;

import static io.aerostat.virtio.spec.balloon.BalloonQueue.DEFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.FREE_PAGE_HINT;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.INFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.REPORTING;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.STATS;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Spin;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** A balloon that stands still while it is copied: nothing is discarded, returned or written. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class BalloonDrainTest {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final int UNIT_BYTES = 1 << 12;

    /** With it this host would not discard what is reported. */
    private static final long FEATURES = SnapshotRig.ALL_FEATURES & ~BalloonFeature.PAGE_POISON;

    private static SnapshotRig rig(BalloonOptions options) {
        return new SnapshotRig(options, UNIT_BYTES).start(FEATURES);
    }

    /** A balloon with 100 pages, and nothing going on. */
    private static SnapshotRig inflated() {
        SnapshotRig rig = rig(SnapshotRig.OPTIONS);
        rig.offer(INFLATE, rig.dataRun(0, 100));
        rig.settle();
        assertEquals(1, rig.reap(INFLATE));
        rig.record.takeDiscards();
        return rig;
    }

    /** Something on every queue, kicked. */
    private static void offerOnAll(SnapshotRig rig) {
        rig.offer(INFLATE, rig.dataRun(200, 50));
        rig.offer(DEFLATE, rig.dataRun(0, 50));
        rig.supply(4, 1 << 20);
        rig.supply(4, 1 << 21);
        rig.hintCommand(rig.transport.readConfig(8));
        rig.freePages(FREE_PAGE_HINT, 500, 50);
        rig.freePages(REPORTING, 600, 50);
    }

    private static void assertAllIsDone(SnapshotRig rig) {
        assertEquals(1, rig.reap(INFLATE));
        assertEquals(1, rig.reap(DEFLATE));
        assertEquals(1, rig.reap(STATS));
        assertEquals(2, rig.reap(FREE_PAGE_HINT));
        assertEquals(1, rig.reap(REPORTING));
        assertEquals(
                List.of(rig.data(200) + "+50", rig.data(600) + "+50"), rig.record.takeDiscards());
        assertEquals(List.of(rig.data(0) + "+50"), rig.record.takeReuses());
        assertEquals(100, rig.device.ledgerPages());
        assertEquals(50, rig.device.hinting().hintedPages());
    }

    @Test
    void nothingHappensOnAnyQueueUntilItIsResumed() {
        SnapshotRig rig = inflated();
        rig.device.hinting().start();
        rig.settle();

        rig.mmio.controller().drain();
        offerOnAll(rig);
        String state = rig.state();
        byte[] ram = rig.ramBytes();
        int work = rig.poll() + rig.poll();

        assertEquals(0, work);
        assertEquals(state, rig.state());
        assertArrayEquals(ram, rig.ramBytes());
        assertEquals(List.of(), rig.record.takeDiscards());
        assertEquals(List.of(), rig.record.takeReuses());

        rig.mmio.controller().resume();
        rig.settle();
        assertAllIsDone(rig);
    }

    @Test
    void aCopyTakenMeanwhileGoesOnElsewhere() throws SnapshotException {
        SnapshotRig rig = inflated();
        rig.device.hinting().start();
        rig.settle();
        rig.mmio.controller().drain();
        offerOnAll(rig);
        rig.poll();
        MmioDevice left = rig.mmio;

        rig.succeed(SECOND_NS);
        rig.settle();

        assertAllIsDone(rig);
        assertEquals(0, left.controller().poll(0));
        assertEquals(List.of(), rig.record.takeDiscards());
    }

    @Test
    void aSnapshotTwiceTakenMeanwhileIsTheSame() {
        SnapshotRig rig = inflated();
        rig.mmio.controller().drain();

        byte[] first = rig.mmio.save();
        offerOnAll(rig);
        rig.pass(SECOND_NS);

        assertArrayEquals(first, rig.mmio.save());
    }

    /** Of a long request what was read is discarded, and nothing else. */
    @Test
    void whatWasReadIsDiscardedAndTheRestWaits() {
        SnapshotRig rig = rig(SnapshotRig.OPTIONS.withWorkBudget(11));
        rig.offer(INFLATE, rig.dataRun(0, 30));
        rig.poll();

        rig.mmio.controller().drain();
        rig.poll();
        List<String> discarded = rig.record.takeDiscards();
        String ballooned = rig.ballooned();
        int returned = rig.reap(INFLATE);
        rig.mmio.controller().resume();
        rig.settle();

        // The element itself costs one of the eleven.
        assertEquals(List.of(rig.data(0) + "+10"), discarded);
        assertEquals(rig.data(0) + "+10 ", ballooned);
        assertEquals(0, returned);
        assertEquals(1, rig.reap(INFLATE));
        assertEquals(List.of(rig.data(10) + "+11", rig.data(21) + "+9"), rig.record.takeDiscards());
    }

    @Test
    void thePeriodOfStatisticsDoesNotCome() {
        SnapshotRig rig = rig(SnapshotRig.OPTIONS);
        rig.device.statistics().period(SECOND_NS);
        rig.supply(4, 1 << 20);
        rig.settle();
        rig.mmio.controller().drain();

        rig.pass(5 * SECOND_NS);
        int drained = rig.reap(STATS);
        rig.mmio.controller().resume();
        rig.poll();

        assertEquals(0, drained);
        assertEquals(1, rig.reap(STATS));
    }

    @Test
    void figuresThatAreAskedForMeanwhileComeLater() {
        SnapshotRig rig = rig(SnapshotRig.OPTIONS);
        rig.supply(4, 1 << 20);
        rig.settle();
        rig.mmio.controller().drain();

        rig.device.statistics().request();
        rig.poll();
        int drained = rig.reap(STATS);
        rig.mmio.controller().resume();
        rig.settle();

        assertEquals(0, drained);
        assertEquals(1, rig.reap(STATS));
    }

    /** Commands are run: configuration is no guest RAM. */
    @Test
    void aTargetIsShownAndTheGuestIsTold() {
        SnapshotRig rig = inflated();
        rig.mmio.controller().drain();
        rig.transport.acknowledge(3);
        int generation = rig.transport.configGeneration();

        rig.device.target(300);
        rig.device.hinting().start();
        rig.poll();

        assertEquals(300, rig.device.targetPages());
        assertEquals(300, rig.transport.readConfig(0));
        assertEquals(2, rig.transport.readConfig(8));
        assertEquals(generation + 4, rig.transport.configGeneration());
        assertTrue(rig.level);
    }

    @Test
    void aTargetDoesNotRiseMeanwhile() {
        SnapshotRig rig = rig(SnapshotRig.OPTIONS.withPagesPerSecond(100));
        rig.device.target(1000);
        rig.settle();
        rig.pass(SECOND_NS);
        rig.mmio.controller().drain();

        rig.pass(3 * SECOND_NS);
        long drained = rig.device.targetPages();
        rig.mmio.controller().resume();
        rig.poll();

        assertEquals(100, drained);
        assertEquals(400, rig.device.targetPages());
    }

    @Test
    void whatTheDriverWritesIsLookedAtLater() {
        SnapshotRig rig = inflated();
        rig.mmio.controller().drain();

        rig.transport.writeConfig(4, 1234);
        rig.settle();
        long drained = rig.counter(BalloonCounter.FALSE_ACTUAL);
        long shown = rig.device.actualPages();
        rig.mmio.controller().resume();
        rig.settle();

        assertEquals(0, drained);
        assertEquals(1234, shown);
        assertEquals(1, rig.counter(BalloonCounter.FALSE_ACTUAL));
    }

    /** A reset gives the pages back at once: the driver must not wait for the host's copy. */
    @Test
    void aResetIsAReset() {
        SnapshotRig rig = inflated();
        rig.mmio.controller().drain();

        rig.start(FEATURES);
        List<String> reused = rig.record.takeReuses();
        rig.offer(INFLATE, rig.dataRun(0, 5));
        rig.settle();
        long drained = rig.device.ledgerPages();
        rig.mmio.controller().resume();
        rig.settle();

        assertEquals(List.of(rig.data(0) + "+100"), reused);
        assertEquals(0, drained);
        assertEquals(5, rig.device.ledgerPages());
    }

    @Test
    void nothingIsDiscardedOnceAnOwnersDrainHasReturned() {
        AtomicBoolean discarded = new AtomicBoolean();
        try (OwnerThread owner = new OwnerThread()) {
            SnapshotRig rig = new SnapshotRig(SnapshotRig.OPTIONS.withWorkBudget(7), UNIT_BYTES);
            rig.device = rig.newDevice(rig.options, rig.record);
            rig.mmio =
                    new MmioDevice(
                            rig.ram.memory(), rig.device, level -> {}, Ownership.OWN_THREAD, owner);
            rig.transport = new MmioTransport(rig.mmio);
            rig.record.duringDiscard(() -> discarded.set(true));
            owner.start(rig.mmio.controller());
            rig.bringUp(FEATURES);

            for (int round = 0; round < 100; round++) {
                rig.offer(INFLATE, rig.dataRun(0, 500));
                rig.mmio.controller().drain();
                discarded.set(false);
                byte[] rings = rig.ringBytes();
                String ballooned = rig.ballooned();
                rig.kickAll();
                if (round % 10 == 0) {
                    owner.awaitPolls(3);
                }

                assertFalse(discarded.get());
                assertArrayEquals(rings, rig.ringBytes());
                assertEquals(ballooned, rig.ballooned());
                rig.mmio.controller().resume();
                Spin.until(() -> rig.reap(INFLATE) == 1);
                Spin.until(() -> rig.device.ledgerPages() == 500);
                rig.offer(DEFLATE, rig.dataRun(0, 500));
                Spin.until(() -> rig.reap(DEFLATE) == 1);
            }
        }
    }
}
