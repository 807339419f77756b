package io.aerostat.bench;

import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.transport.mmio.InterruptLine;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * An emulator with a balloon, and its guest's driver, on one thread: the store to QueueNotify does
 * the work, and the interrupt line is high when it returns. One request at a time, as Linux sends
 * them; the page numbers are those that a Linux guest sent.
 *
 * <pre>
 *   RAM   | rings |  request 0 | request 1 | ...   |   pages that are named   |
 *         0       1 MiB    4 KiB apart, 1 KiB each 2 MiB                      1 GiB
 *         ◀──────── of the kind in question ──────▶◀── never touched, no memory ──▶
 * </pre>
 *
 * <p>Each request lies across a multiple of 4096, half of it on either side, whatever the kind.
 */
final class NotifyRig {
    static final int REQUESTS = RequestRig.REQUESTS;

    /** A round is all requests into the balloon and out again. */
    static final int REQUESTS_A_ROUND = 2 * REQUESTS;

    private static final int REQUEST_PAGES = RequestRig.PAGES_PER_REQUEST;
    private static final int REQUEST_BYTES = REQUEST_PAGES * PageFrame.NUMBER_BYTES;
    private static final int REQUESTS_GPA = 1 << 20;
    private static final int REQUESTS_END = REQUESTS_GPA + (REQUESTS + 1) * RamRegion.PAGE_BYTES;
    private static final int KIND_BYTES = 2 << 20;
    private static final int INFLATE = 0;
    private static final int DEFLATE = 1;

    private final Line line = new Line();
    private final MmioTransport transport;
    private final DriverQueue inflate;
    private final DriverQueue deflate;
    private int doorbells;

    /**
     * Brings the device up.
     *
     * @param device makes it for this RAM, with queues of {@link RequestRig#QUEUE_SIZE}
     */
    NotifyRig(RamKind kind, Function<GuestMemory, VirtioDevice> device) {
        GuestMemory memory = memory(kind);
        writeRequests(memory);
        MmioDevice mmio =
                new MmioDevice(
                        memory,
                        device.apply(memory),
                        line,
                        Ownership.NOTIFY_DRIVEN,
                        () -> doorbells++);
        transport = new MmioTransport(mmio);
        DriverHandshake handshake = new DriverHandshake(transport);
        long known = Feature.SUPPORTED_MASK | BalloonFeature.MUST_TELL_HOST;
        require(handshake.negotiate(DeviceType.BALLOON, known, Feature.EVENT_IDX) == null);
        inflate = enable(handshake, memory, INFLATE, 0);
        deflate = enable(handshake, memory, DEFLATE, REQUESTS_GPA / 2);
        require(handshake.finish() == null);
    }

    private static GuestMemory memory(RamKind kind) {
        List<RamRegion> regions =
                new ArrayList<>(kind.regions(KIND_BYTES, REQUESTS_GPA, REQUESTS_END));
        long rest = RequestRig.RAM_BYTES - KIND_BYTES;
        regions.add(RamRegion.ofAccessor(KIND_BYTES, rest, RamKind.paged(rest)));
        return GuestMemory.of(regions.toArray(RamRegion[]::new));
    }

    private static void writeRequests(GuestMemory memory) {
        int end = (int) (RequestRig.RAM_BYTES >>> PageFrame.SHIFT);
        int[] pages =
                PageOrder.LINUX.pages(
                        REQUESTS * REQUEST_PAGES, KIND_BYTES >>> PageFrame.SHIFT, end);
        for (int request = 0; request < REQUESTS; request++) {
            RamAccess.of(memory, gpa(request), REQUEST_BYTES)
                    .putInts(0, pages, request * REQUEST_PAGES, REQUEST_PAGES);
        }
    }

    private static DriverQueue enable(
            DriverHandshake handshake, GuestMemory memory, int index, long gpa) {
        QueueAddresses addresses = QueueAddresses.inBlock(RequestRig.QUEUE_SIZE, gpa);
        DriverQueue queue = new DriverQueue(memory, addresses, handshake.features(), null);
        require(handshake.enableQueue(index, addresses) == null);
        return queue;
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("the device did not come up");
        }
    }

    /** Where a request lies: half before a multiple of 4096, half behind it. */
    static long gpa(int request) {
        return REQUESTS_GPA + (request + 1L) * RamRegion.PAGE_BYTES - REQUEST_BYTES / 2;
    }

    /** All pages into the balloon and out again. Answers how many requests came back. */
    int round() {
        int returned = 0;
        for (int request = 0; request < REQUESTS; request++) {
            returned += inflate(request);
        }
        for (int request = 0; request < REQUESTS; request++) {
            returned += deflate(request);
        }
        return returned;
    }

    /** One request to put pages into the balloon, from offer to reaped: 1. */
    int inflate(int request) {
        return send(INFLATE, inflate, request);
    }

    /** One to take them out again: 1. */
    int deflate(int request) {
        return send(DEFLATE, deflate, request);
    }

    private int send(int index, DriverQueue queue, int request) {
        queue.add(gpa(request), REQUEST_BYTES, false);
        if (queue.publish()) {
            transport.kick(index);
        }
        boolean interrupted = line.isHigh;
        transport.acknowledge(transport.interruptCauses());
        boolean reaped = queue.poll() >= 0 && !queue.armAndRecheck();
        if (!interrupted || !reaped || line.isHigh) {
            throw new IllegalStateException(
                    "the store did not do its work: interrupted="
                            + interrupted
                            + ", reaped="
                            + reaped
                            + ", lineIsHigh="
                            + line.isHigh);
        }
        return 1;
    }

    /** How often the line went high. */
    long interrupts() {
        return line.interrupts;
    }

    /** How often a store left work behind. */
    int doorbells() {
        return doorbells;
    }

    /** What an interrupt controller would latch. */
    private static final class Line implements InterruptLine {
        private boolean isHigh;
        private long interrupts;

        @Override
        public void set(boolean level) {
            if (level && !isHigh) {
                interrupts++;
            }
            isHigh = level;
        }
    }
}
