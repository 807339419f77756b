package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;

/** From kick to interrupt nothing is allocated. */
final class BalloonAllocationTest {
    private static final int REQUEST_PAGES = 600;
    private static final int WARM_UP_ROUNDS = 2_000;
    private static final int ROUNDS = 300;

    /**
     * The JVM may allocate on its own account when it swaps compiled code, once. What the device
     * allocates comes back in every window.
     */
    private static final int WINDOWS = 5;

    private static final int FIRST_DATA_PAGE = 32;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** What a request names. */
    enum Pages {
        CONTIGUOUS,
        DOWNWARDS,
        SCATTERED,
        /** Sorted runs without neighbours: the library's sort merges them in memory of its own. */
        SORTED_RUNS,
        GARBAGE;

        int page(int index, Random random) {
            return switch (this) {
                case CONTIGUOUS -> index;
                case DOWNWARDS -> REQUEST_PAGES - index;
                case SCATTERED -> random.nextInt(1500);
                case SORTED_RUNS -> index % 100 * 14 + index / 100 * 2;
                case GARBAGE -> random.nextInt();
            };
        }
    }

    /** A host that does nothing, and says so. */
    private static final class SilentReclaimer implements PageReclaimer {
        @Override
        public int granularityBytes() {
            return 8192;
        }

        @Override
        public Content contentAfterDiscard() {
            return Content.UNCHANGED;
        }

        @Override
        public long discard(PageRanges ranges) {
            return ranges.bytes();
        }

        @Override
        public void reuse(PageRanges ranges) {}

        @Override
        public long discardCalls() {
            return 0;
        }

        @Override
        public long residentBytes(long gpa, long length) {
            return UNKNOWN;
        }
    }

    private final GuestRam ram = GuestRam.of(GuestRam.Kind.DIRECT_BUFFER, 1600 * 4096);
    private final DriverQueue[] queues = new DriverQueue[5];
    private MmioTransport transport;
    private MmioDevice mmio;
    private BalloonDevice device;

    @ParameterizedTest
    @EnumSource(Pages.class)
    void inflateAndDeflateAllocateNothing(Pages pages) {
        bringUp();
        long request = ram.base() + 16 * 4096;
        int[] pfns = new int[REQUEST_PAGES];
        int first = (int) (ram.base() / 4096) + FIRST_DATA_PAGE;
        Random random = new Random(1);
        Arrays.setAll(pfns, i -> first + pages.page(i, random));
        RamAccess.of(ram.memory(), request, 4L * REQUEST_PAGES).putInts(0, pfns, 0, REQUEST_PAGES);
        cycle(request, WARM_UP_ROUNDS);

        long allocated = Long.MAX_VALUE;
        for (int window = 0; window < WINDOWS && allocated != 0; window++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            int returned = cycle(request, ROUNDS);
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            assertEquals(4 * ROUNDS, returned);
        }

        assertEquals(0, allocated);
    }

    private void bringUp() {
        device = new BalloonDevice(ram.memory(), new SilentReclaimer(), BalloonOptions.DEFAULT);
        mmio =
                new MmioDevice(
                        ram.memory(), device, level -> {}, Ownership.REGISTER_THREAD, () -> {});
        transport = new MmioTransport(mmio);
        DriverHandshake handshake = new DriverHandshake(transport);
        handshake.negotiate(5, BalloonRig.ALL_FEATURES, 0);
        for (int queue = 0; queue < queues.length; queue++) {
            RingBytes ring = RingBytes.at(ram, 16, ram.base() + 4096L * queue);
            queues[queue] =
                    new DriverQueue(ram.memory(), ring.addresses(), handshake.features(), null);
            handshake.enableQueue(queue, ring.addresses());
        }
        handshake.finish();
    }

    /** Two requests on each queue, and actual: everything a driver does. */
    private int cycle(long request, int rounds) {
        int returned = 0;
        for (int round = 0; round < rounds; round++) {
            for (int i = BalloonRig.INFLATE; i <= BalloonRig.DEFLATE; i++) {
                queues[i].add(request, 4L * REQUEST_PAGES, false);
                queues[i].add(request, 4L * REQUEST_PAGES, false);
                returned += serve(i);
                transport.writeConfig(4, round);
            }
        }
        return returned;
    }

    /** From kick to interrupt, and the driver's look at it. */
    private int serve(int index) {
        DriverQueue queue = queues[index];
        int returned = 0;
        if (queue.publish()) {
            transport.kick(index);
        }
        while (mmio.controller().poll(0) != 0) {
            // Until there is nothing to do.
        }
        while (queue.poll() >= 0) {
            returned++;
        }
        queue.armAndRecheck();
        transport.acknowledge(transport.interruptCauses());
        return returned;
    }

    @ParameterizedTest
    @ValueSource(ints = {BalloonRig.HINTS, BalloonRig.REPORTS})
    void reportsAndHintsAllocateNothing(int index) {
        bringUp();
        device.hinting().start();
        serve(BalloonRig.HINTS);
        ram.putLe32(ram.base() + 16 * 4096, transport.readConfig(8));
        queues[BalloonRig.HINTS].add(ram.base() + 16 * 4096, Integer.BYTES, false);
        assertEquals(1, serve(BalloonRig.HINTS));
        // Large, scattered, overlapping, not whole pages, and a ring.
        long data = ram.base() + FIRST_DATA_PAGE * 4096L;
        long[] gpas = {data + 4096, data + 4000 * 1024, data, data + 8192, data + 1, ram.base()};
        long[] lengths = {3_000_000, 8192, 4096, 40_960, 9000, 4096};
        cyclePages(index, gpas, lengths, WARM_UP_ROUNDS);

        long allocated = Long.MAX_VALUE;
        for (int window = 0; window < WINDOWS && allocated != 0; window++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            int returned = cyclePages(index, gpas, lengths, ROUNDS);
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            assertEquals(2 * ROUNDS, returned);
        }

        assertEquals(0, allocated);
        assertTrue(device.hinting().hintedPages() > 0 || index == BalloonRig.REPORTS);
    }

    private int cyclePages(int index, long[] gpas, long[] lengths, int rounds) {
        int returned = 0;
        for (int round = 0; round < rounds; round++) {
            queues[index].add(gpas, lengths, 0, gpas.length);
            queues[index].add(gpas, lengths, 0, gpas.length);
            returned += serve(index);
        }
        return returned;
    }
}
