package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.management.ManagementFactory;

/** What a step of the driver costs on the Java heap: nothing. */
final class BalloonDriverFootprintTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int WARM_UP_ROUNDS = 300;
    private static final int ROUNDS = 100;

    /**
     * The JVM itself now and then allocates a few bytes when it replaces running code. What the
     * driver allocates shows in every batch; one that is exactly 0 is the proof.
     */
    private static final int BATCHES = 8;

    @ParameterizedTest
    @ValueSource(longs = {Feature.VERSION_1, Feature.VERSION_1 | Feature.EVENT_IDX})
    void allocatesNothingOnTheHeapBetweenTwoStarts(long offered) {
        Meter meter =
                new Meter(
                        new BalloonRig(BalloonRig.OPTIONS, offered, BalloonConfigLayout.LENGTH)
                                .started());
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            meter.round();
        }

        long least = Long.MAX_VALUE;
        for (int batch = 0; batch < BATCHES && least != 0; batch++) {
            meter.bytes = 0;
            for (int round = 0; round < ROUNDS; round++) {
                meter.round();
            }
            least = Math.min(least, meter.bytes);
        }

        assertEquals(0, least);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void allocatesNothingForTheOtherQueuesEither(boolean fills) {
        BalloonDriverOptions options = BalloonRig.OPTIONS.withFeatures(BalloonRig.EVERY_FEATURE);
        long offered = ScriptedBalloon.OFFER | Feature.INDIRECT_DESC | BalloonRig.EVERY_FEATURE;
        Meter meter =
                new Meter(
                        new BalloonRig(fills ? options.withPageFill(7) : options, offered, 16)
                                .started());
        // Filling pages is slow on the small RAM of the test.
        int warmUp = fills ? 60 : WARM_UP_ROUNDS;
        for (int round = 0; round < warmUp; round++) {
            meter.wholeRound();
        }

        long least = Long.MAX_VALUE;
        for (int batch = 0; batch < BATCHES && least != 0; batch++) {
            meter.bytes = 0;
            for (int round = 0; round < 20; round++) {
                meter.wholeRound();
            }
            least = Math.min(least, meter.bytes);
        }

        assertEquals(0, least);
        DriverCounters counters = meter.rig.driver.counters();
        assertTrue(counters.get(DriverCounter.PAGES_REPORTED) > 0);
        assertTrue(counters.get(DriverCounter.PAGES_HINTED) > 0);
        assertTrue(counters.get(DriverCounter.PAGES_MIGRATED) > 0);
        assertTrue(counters.get(DriverCounter.PAGES_DEFLATED_ON_OOM) > 0);
        assertTrue(counters.get(DriverCounter.STATISTICS_SENT) > 20);
    }

    /** The device of the test may allocate; the driver's steps are measured. */
    private static final class Meter {
        private final BalloonRig rig;
        private int hintRound = 2;
        private long bytes;

        Meter(BalloonRig rig) {
            this.rig = rig;
            rig.bus.stopRecording();
            rig.pages.stopWatching();
        }

        /** Up in several requests, out of pages, down, and the same half way. */
        void round() {
            reach(1000);
            reach(BalloonRig.RAM_PAGES);
            reach(300);
            reach(700);
            reach(0);
        }

        /** Everything but resets: targets, statistics, moves, want of memory, reports, hints. */
        void wholeRound() {
            reach(300);
            rig.device.returnStatistics();
            long before = allocatedBytes();
            for (int pfn = 256; pfn < 2048; pfn++) {
                rig.driver.migrate(pfn);
            }
            rig.driver.deflateOnOom(100);
            bytes += allocatedBytes() - before;
            reach(200);
            rig.nowNs += BalloonRig.PRESSURE_NS;
            reach(900);
            reach(0);
            rig.nowNs += BalloonRig.PRESSURE_NS;
            reach(0);
            rig.device.hintCommand(hintRound++);
            reach(0);
            before = allocatedBytes();
            rig.driver.releaseHinted(100);
            bytes += allocatedBytes() - before;
            rig.device.hintCommand(1);
            reach(0);
        }

        private void reach(long target) {
            rig.device.target(target);
            for (int steps = 0; steps < 6; steps++) {
                long before = allocatedBytes();
                rig.driver.doWork(rig.nowNs);
                bytes += allocatedBytes() - before;
                rig.poll();
                rig.device.confirmAll();
            }
            rig.waitForRetry();
        }

        private static long allocatedBytes() {
            return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
        }
    }
}
