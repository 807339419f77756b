package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.junit.jupiter.api.Test;

/** A host whose unit is 16 KiB, and which refuses less, as {@link PageReclaimer} lets it. */
final class WholeUnitsTest {
    private static final int UNIT = 16_384;

    private static final class StrictReclaimer implements PageReclaimer {
        @Override
        public int granularityBytes() {
            return UNIT;
        }

        @Override
        public Content contentAfterDiscard() {
            return Content.ZERO;
        }

        @Override
        public long discard(PageRanges ranges) {
            check(ranges);
            return ranges.bytes();
        }

        @Override
        public void reuse(PageRanges ranges) {
            // Guest pages, whatever the unit.
        }

        @Override
        public long discardCalls() {
            return 0;
        }

        @Override
        public long residentBytes(long gpa, long length) {
            check(gpa, length);
            return 0;
        }

        private static void check(PageRanges ranges) {
            for (int i = 0; i < ranges.count(); i++) {
                check(ranges.gpa(i), ranges.bytes(i));
            }
        }

        private static void check(long gpa, long length) {
            if ((gpa | length) % UNIT != 0) {
                throw new IllegalArgumentException("not whole units: gpa=" + gpa);
            }
        }
    }

    private final GuestRam ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 64 * 4096);
    private final BalloonDevice device =
            new BalloonDevice(ram.memory(), new StrictReclaimer(), BalloonOptions.DEFAULT);
    private final MmioDevice mmio =
            new MmioDevice(ram.memory(), device, level -> {}, Ownership.REGISTER_THREAD, () -> {});
    private final MmioTransport transport = new MmioTransport(mmio);

    private void start() {
        DriverHandshake handshake = new DriverHandshake(transport);
        handshake.negotiate(5, BalloonRig.ALL_FEATURES, 0);
        for (int i = 0; i < 2; i++) {
            RingBytes ring = RingBytes.at(ram, 16, ram.base() + 4096L * i);
            DriverQueue queue =
                    new DriverQueue(ram.memory(), ring.addresses(), handshake.features(), null);
            handshake.enableQueue(i, ring.addresses());
            ram.putLe32(ram.base() + 8192, (int) (ram.base() / 4096) + 17);
            queue.add(ram.base() + 8192, 4, false);
            queue.publish();
        }
        handshake.finish();
    }

    @Test
    void aDeflateOfLessThanAUnitDoesNotThrow() {
        start();

        assertDoesNotThrow(
                () -> {
                    while (mmio.controller().poll(0) != 0) {}
                });
    }

    @Test
    void aResetWithLessThanAUnitInTheBalloonDoesNotThrow() {
        start();
        mmio.store(0x30, 4, 1);
        mmio.store(0x44, 4, 0);
        while (mmio.controller().poll(0) != 0) {}
        assertEquals(1, device.ledgerPages());

        assertDoesNotThrow(transport::reset);
    }

    @Test
    void verifyingLessThanAUnitDoesNotThrow() {
        start();
        mmio.store(0x30, 4, 1);
        mmio.store(0x44, 4, 0);
        while (mmio.controller().poll(0) != 0) {}
        assertEquals(1, device.ledgerPages());

        assertDoesNotThrow(device.ballooned()::verifiedBytes);
    }

    @Test
    void tellsPagesAbove8TebibytesToo() {
        GuestRam high = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, 1L << 43, 512 * 4096);
        BalloonRig rig = new BalloonRig(high, BalloonOptions.DEFAULT, 4096).start();
        rig.inflate(rig.data(0));

        assertDoesNotThrow(
                () -> rig.device.ballooned().forEachRange((pfn, pages) -> assertEquals(1, pages)));
    }
}
