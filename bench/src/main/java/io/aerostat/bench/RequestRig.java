package io.aerostat.bench;

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
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

/**
 * A balloon on its registers and a driver that sends prepared requests, on one thread: kicks and
 * interrupts included, the guest's page allocator not. The driver tells the host before it uses a
 * page again (MUST_TELL_HOST) if the device offers to hear it.
 *
 * <pre>
 *   RAM   | rings | requests: page numbers, 256 each |      pages that are named      |
 *         0       1 MiB                              2 MiB                          1 GiB
 * </pre>
 */
final class RequestRig implements AutoCloseable {
    static final int PAGES_PER_REQUEST = 256;
    static final int REQUESTS = 64;
    static final int PAGES = PAGES_PER_REQUEST * REQUESTS;
    static final int QUEUE_SIZE = 128;
    static final long RAM_BYTES = 1L << 30;

    private static final int REQUESTS_A_KICK = 16;
    private static final long REQUESTS_GPA = 1L << 20;
    private static final int FIRST_PAGE = (2 << 20) >>> PageFrame.SHIFT;
    private static final int END_PAGE = (int) (RAM_BYTES >>> PageFrame.SHIFT);
    private static final int REQUEST_BYTES = PAGES_PER_REQUEST * PageFrame.NUMBER_BYTES;
    private static final int INFLATE = 0;
    private static final int DEFLATE = 1;

    private final MemoryBackend backend;
    private final int[] pages;
    private final RamAccess ram;
    private final MmioDevice mmio;
    private final MmioTransport transport;
    private final DriverQueue inflate;
    private final DriverQueue deflate;

    /**
     * Brings the device up.
     *
     * @param backend RAM of {@link #RAM_BYTES} at 0; the rig's to close
     * @param device a balloon for this RAM, with queues of {@link #QUEUE_SIZE}
     */
    RequestRig(MemoryBackend backend, VirtioDevice device, PageOrder order) {
        this.backend = backend;
        GuestMemory memory = backend.memory();
        pages = order.pages(PAGES, FIRST_PAGE, END_PAGE);
        ram = RamAccess.of(memory, 0, RAM_BYTES);
        ram.putInts(REQUESTS_GPA, pages, 0, pages.length);
        mmio = new MmioDevice(memory, device, level -> {}, Ownership.REGISTER_THREAD, () -> {});
        transport = new MmioTransport(mmio);
        DriverHandshake handshake = new DriverHandshake(transport);
        long known = Feature.SUPPORTED_MASK | BalloonFeature.MUST_TELL_HOST;
        require(handshake.negotiate(DeviceType.BALLOON, known, Feature.EVENT_IDX) == null);
        inflate = enable(handshake, memory, INFLATE, 0);
        deflate = enable(handshake, memory, DEFLATE, REQUESTS_GPA / 2);
        require(handshake.finish() == null);
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
