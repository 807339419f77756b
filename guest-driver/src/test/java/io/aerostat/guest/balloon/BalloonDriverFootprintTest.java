package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;

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

    /** The device of the test may allocate; the driver's steps are measured. */
    private static final class Meter {
        private final BalloonRig rig;
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
