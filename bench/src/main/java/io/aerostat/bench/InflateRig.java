package io.aerostat.bench;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.backend.AnonymousBackend;
import io.aerostat.memory.backend.MemfdBackend;
import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

/**
 * A device on its registers and a driver that sends prepared requests, on one thread: kicks and
 * interrupts included, the guest's page allocator not.
 *
 * <pre>
 *   RAM   | rings | requests: page numbers, 256 each |      pages that are named      |
 *         0       1 MiB                              2 MiB                          1 GiB
 * </pre>
 */
final class InflateRig implements AutoCloseable {
    static final int PAGES_PER_REQUEST = 256;
    static final int REQUESTS = 64;
    static final int PAGES = PAGES_PER_REQUEST * REQUESTS;

    private static final int QUEUE_SIZE = 128;
    private static final int REQUESTS_A_KICK = 16;
    private static final long RAM_BYTES = 1L << 30;
    private static final long REQUESTS_GPA = 1L << 20;
    private static final int FIRST_PAGE = (2 << 20) >>> PageFrame.SHIFT;
    private static final int END_PAGE = (int) (RAM_BYTES >>> PageFrame.SHIFT);
    private static final int REQUEST_BYTES = PAGES_PER_REQUEST * PageFrame.NUMBER_BYTES;
    private static final int WARM_UP_CALLS = 20_000;
    private static final int WARM_UP_RANGES = 4;
    private static final int INFLATE = 0;
    private static final int DEFLATE = 1;

    private final MemoryBackend backend;
    private final int[] pages;
    private final RamAccess ram;
    private final MmioDevice mmio;
    private final MmioTransport transport;
    private final DriverQueue inflate;
    private final DriverQueue deflate;

    InflateRig(Stage stage, PageOrder order) {
        backend =
                stage == Stage.MEMFD
                        ? MemfdBackend.map(RAM_BYTES, 0)
                        : AnonymousBackend.map(RAM_BYTES, 0);
        GuestMemory memory = backend.memory();
        pages = order.pages(PAGES, FIRST_PAGE, END_PAGE);
        ram = RamAccess.of(memory, 0, RAM_BYTES);
        ram.putInts(REQUESTS_GPA, pages, 0, pages.length);
        mmio =
                new MmioDevice(
                        memory, device(stage), level -> {}, Ownership.REGISTER_THREAD, () -> {});
        transport = new MmioTransport(mmio);
        DriverHandshake handshake = new DriverHandshake(transport);
        require(
                handshake.negotiate(DeviceType.BALLOON, Feature.SUPPORTED_MASK, Feature.EVENT_IDX)
                        == null);
        inflate = enable(handshake, memory, INFLATE, 0);
        deflate = enable(handshake, memory, DEFLATE, REQUESTS_GPA / 2);
        require(handshake.finish() == null);
        if (stage.givesBack()) {
            warmUpReclaim(backend.reclaimer());
        }
    }

    // A measured run makes few calls to the operating system, too few for the compiler to notice
    // them within a short warm-up; on pages that are not there they cost next to nothing.
    private static void warmUpReclaim(PageReclaimer reclaimer) {
        PageRanges one = new PageRanges(1);
        one.add(FIRST_PAGE, 1);
        PageRanges several = new PageRanges(WARM_UP_RANGES);
        for (int i = 0; i < WARM_UP_RANGES; i++) {
            several.add(FIRST_PAGE + 2L * i, 1);
        }
        for (int i = 0; i < WARM_UP_CALLS; i++) {
            reclaimer.discard(one);
            reclaimer.discard(several);
        }
    }

    private VirtioDevice device(Stage stage) {
        BalloonOptions options = BalloonOptions.DEFAULT.withQueueSize(QUEUE_SIZE);
        return switch (stage) {
            case RING -> new SinkDevice(QUEUE_SIZE);
            case LEDGER -> new BalloonDevice(backend.memory(), new NoReclaim(), options);
            case ANONYMOUS, MEMFD ->
                    new BalloonDevice(backend.memory(), backend.reclaimer(), options);
        };
    }

    private static DriverQueue enable(
            DriverHandshake handshake, GuestMemory memory, int index, long gpa) {
        QueueAddresses addresses = QueueAddresses.inBlock(QUEUE_SIZE, gpa);
        DriverQueue queue = new DriverQueue(memory, addresses, handshake.features(), null);
        require(handshake.enableQueue(index, addresses) == null);
        return queue;
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("the device did not come up");
        }
    }

    /** Puts all pages into the balloon. */
    int inflate() {
        return send(INFLATE, inflate);
    }

    /** Takes them out again. */
    int deflate() {
        return send(DEFLATE, deflate);
    }

    private int send(int index, DriverQueue queue) {
        int returned = 0;
        for (int sent = 0; sent < REQUESTS; sent += REQUESTS_A_KICK) {
            for (int i = 0; i < REQUESTS_A_KICK; i++) {
                queue.add(REQUESTS_GPA + (long) (sent + i) * REQUEST_BYTES, REQUEST_BYTES, false);
            }
            if (queue.publish()) {
                transport.kick(index);
            }
            while (mmio.controller().poll(0) > 0) {
                // The device goes on until nothing is left.
            }
            do {
                while (queue.poll() >= 0) {
                    returned++;
                }
            } while (queue.armAndRecheck());
        }
        if (returned != REQUESTS) {
            throw new IllegalStateException("requests were lost: returned=" + returned);
        }
        return returned;
    }

    /** Writes to each page, so that the host has it in memory. */
    void touch() {
        for (int page : pages) {
            ram.putByte((long) page << PageFrame.SHIFT, (byte) 1);
        }
    }

    @Override
    public void close() {
        mmio.reset();
        backend.close();
    }
}
