package io.aerostat.memory.own;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.backend.UnloadBackend;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;

/** From a guest's request on the registers to memory that the host has back. */
final class BalloonOnOwnRamTest {
    private static final int INFLATE = 0;
    private static final int QUEUE_SIZE = 16;
    private static final int PAGES = 1024;
    private static final int FIRST = 256;
    private static final int COUNT = 256;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "memory is given back on Linux alone");
        assumeTrue(LinuxMemory.pageBytes() == RamRegion.PAGE_BYTES, "one request fills no page");
    }

    @ParameterizedTest
    @MethodSource("io.aerostat.memory.own.OwnRam$Kind#here")
    void inflatedPagesGoBackToTheHost(OwnRam.Kind kind) throws IOException {
        try (OwnRam ram = OwnRam.of(kind, PAGES)) {
            ram.fill(0x5A);
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            BalloonDevice device = new BalloonDevice(ram.memory, reclaimer, options());

            inflate(ram.memory, device);

            long given = (long) COUNT * ram.page;
            assertTrue(device.ballooned().verifiedBytes() >= kind.leastFall(given));
            assertEquals(COUNT, device.ledgerPages());
            assertTrue(ram.region.length() - ram.residentBytes() >= kind.leastFall(given));
            int left = kind.isZeroAfterwards() ? 0 : OwnRam.IN_FILE;
            assertTrue(ram.holds((long) FIRST * ram.page, (long) (FIRST + COUNT) * ram.page, left));
            assertTrue(ram.pageHolds(FIRST - 1, 0x5A) && ram.pageHolds(FIRST + COUNT, 0x5A));
        }
    }

    @Test
    void inflatedPagesGoBackWithoutNativeCalls() {
        long bytes = (long) PAGES * RamRegion.PAGE_BYTES;
        try (UnloadBackend backend = UnloadBackend.map(bytes, OwnRam.GPA)) {
            GuestMemory memory = backend.memory();
            RamAccess.of(memory, OwnRam.GPA, bytes).fill(0, bytes, (byte) 0x5A);
            PageReclaimer reclaimer = backend.reclaimer();
            BalloonDevice device = new BalloonDevice(memory, reclaimer, options());

            inflate(memory, device);

            long given = (long) COUNT * RamRegion.PAGE_BYTES;
            assertEquals(bytes - given, backend.residentBytes());
            assertEquals(given, device.ballooned().verifiedBytes());
            long gpa = OwnRam.GPA + (long) FIRST * RamRegion.PAGE_BYTES;
            assertEquals(0, reclaimer.residentBytes(gpa, given));
        }
    }

    @Test
    void aDetachedRegionIsForgottenByTheReclaimerToo() {
        try (OwnRam ram = OwnRam.of(OwnRam.Kind.ALIGNED_SLICE, PAGES)) {
            AdviceReclaimer reclaimer = AdviceReclaimer.of(ram.memory);
            BalloonDevice device = new BalloonDevice(ram.memory, reclaimer, options());
            MmioDevice mmio = mmio(ram.memory, device);
            assertEquals(1, reclaimer.reports().size());

            mmio.detach(ram.region);

            assertEquals(0, reclaimer.reports().size());
        }
    }

    private static BalloonOptions options() {
        return BalloonOptions.DEFAULT.withQueueSize(QUEUE_SIZE);
    }

    private static MmioDevice mmio(GuestMemory memory, BalloonDevice device) {
        return new MmioDevice(memory, device, level -> {}, Ownership.NOTIFY_DRIVEN, () -> {});
    }

    /** Brings the device up and sends one request of 256 pages. */
    private static void inflate(GuestMemory memory, BalloonDevice device) {
        MmioDevice mmio = mmio(memory, device);
        MmioTransport transport = new MmioTransport(mmio);
        DriverHandshake handshake = new DriverHandshake(transport);
        assertNull(handshake.negotiate(DeviceType.BALLOON, Feature.SUPPORTED_MASK, 0));
        QueueAddresses addresses = QueueAddresses.inBlock(QUEUE_SIZE, OwnRam.GPA);
        // The rings are the guest's, and empty.
        RamAccess.of(memory, OwnRam.GPA, 1 << 16).fill(0, 1 << 16, (byte) 0);
        DriverQueue queue = new DriverQueue(memory, addresses, handshake.features(), null);
        assertNull(handshake.enableQueue(INFLATE, addresses));
        assertNull(handshake.finish());
        int[] pages = new int[COUNT];
        for (int i = 0; i < COUNT; i++) {
            pages[i] = (int) (OwnRam.GPA / RamRegion.PAGE_BYTES) + FIRST + i;
        }
        long request = OwnRam.GPA + (1 << 16);
        RamAccess.of(memory, request, COUNT * 4L).putInts(0, pages, 0, COUNT);

        queue.add(request, COUNT * Integer.BYTES, false);
        assertTrue(queue.publish());
        transport.kick(INFLATE);
        while (mmio.poll(0) > 0) {
            // The device goes on until nothing is left.
        }

        assertTrue(queue.poll() >= 0, "the request is not returned");
    }
}
