package io.aerostat.balloon.classloading;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.reclaim.PagedReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.PagedArray;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * A machine with a balloon and the driver in its guest, told to do all that an embedder has done:
 * each run brings the balloon up, inflates it, meets a guest that breaks the rules, goes back to a
 * saved state, and resets.
 *
 * <p>Asks for nothing but the modules under test, so that a loader can bring it which has no test
 * library: a check that fails throws.
 *
 * <pre>
 *   guest-physical   0 .. 64 KiB                64 KiB .. 1 MiB + 64 KiB
 *                    direct buffer: rings and   pages of arrays: what is ballooned
 *                    page numbers
 * </pre>
 */
final class InflatingMachine implements Runnable {
    private static final int PAGE = RamRegion.PAGE_BYTES;
    private static final int RING_BYTES = 16 * PAGE;
    private static final int DATA_PAGES = 256;
    private static final int BALLOONED_PAGES = 16;
    private static final int QUEUE_SIZE = 16;
    private static final int INFLATE = 0;
    private static final int DEFLATE = 1;
    private static final long REQUEST_GPA = 8 * PAGE;
    private static final int ACTUAL_OFFSET = 4;

    private int interrupts;
    private final byte[] @Nullable [] pages = new byte[DATA_PAGES][];
    private final PagedArray data = new PagedArray(pages, PAGE);
    private final GuestMemory memory =
            GuestMemory.of(
                    RamRegion.ofBuffer(0, ByteBuffer.allocateDirect(RING_BYTES)),
                    RamRegion.ofAccessor(RING_BYTES, (long) DATA_PAGES * PAGE, data));
    private final RamAccess ram = RamAccess.of(memory, 0, memory.bytes());
    private final BalloonDevice balloon =
            new BalloonDevice(memory, new PagedReclaimer(memory), BalloonOptions.DEFAULT);
    private final MmioDevice mmio =
            new MmioDevice(
                    memory,
                    balloon,
                    level -> interrupts += level ? 1 : 0,
                    Ownership.NOTIFY_DRIVEN,
                    () -> {});
    private final MmioTransport transport = new MmioTransport(mmio);

    /** Loaded by name. */
    InflatingMachine() {}

    @Override
    public void run() {
        DriverQueue inflate = bringUp();
        fill();
        balloon.target(BALLOONED_PAGES);
        mmio.poll(0);

        inflate(inflate);
        byte[] saved = mmio.save();
        breakTheDeflateRing();
        restore(saved);
        require(balloon.ledgerPages() == BALLOONED_PAGES, "pages of the saved state");

        mmio.reset();
        require(balloon.ledgerPages() == 0, "an empty balloon after reset");
        require(transport.status() == 0, "a status of 0 after reset");
    }

    private DriverQueue bringUp() {
        DriverHandshake handshake = new DriverHandshake(transport);
        long known = Feature.VERSION_1 | Feature.EVENT_IDX | BalloonFeature.MUST_TELL_HOST;
        expectNone(handshake.negotiate(DeviceType.BALLOON, known, 0));
        QueueAddresses inflate = queueAt(INFLATE);
        DriverQueue queue = new DriverQueue(memory, inflate, handshake.features(), null);
        expectNone(handshake.enableQueue(INFLATE, inflate));
        ram.fill(queueAt(DEFLATE).descriptorTable(), PAGE, (byte) 0);
        expectNone(handshake.enableQueue(DEFLATE, queueAt(DEFLATE)));
        expectNone(handshake.finish());
        return queue;
    }

    private static QueueAddresses queueAt(int queue) {
        return QueueAddresses.inBlock(QUEUE_SIZE, (long) queue * PAGE);
    }

    /** The guest writes all pages that it will give away. */
    private void fill() {
        for (int page = 0; page < BALLOONED_PAGES; page++) {
            ram.fill(RING_BYTES + (long) page * PAGE, PAGE, (byte) 0x5A);
        }
    }

    private void inflate(DriverQueue queue) {
        for (int i = 0; i < BALLOONED_PAGES; i++) {
            ram.putInt(REQUEST_GPA + (long) i * Integer.BYTES, RING_BYTES / PAGE + i);
        }
        interrupts = 0;
        queue.add(REQUEST_GPA, (long) BALLOONED_PAGES * Integer.BYTES, false);
        require(queue.publish(), "a device that wants to be kicked");
        transport.kick(INFLATE);
        transport.writeConfig(ACTUAL_OFFSET, BALLOONED_PAGES);

        require(queue.poll() >= 0, "a request done within the kick");
        require(interrupts == 1, "an interrupt");
        require(balloon.ledgerPages() == BALLOONED_PAGES, "pages in the balloon");
        require(balloon.actualPages() == BALLOONED_PAGES, "the driver's own count");
        for (int page = 0; page < BALLOONED_PAGES; page++) {
            require(pages[page] == null, "a page given back to the heap");
        }
    }

    /** More requests than the ring has entries: the device stops, and logs why. */
    private void breakTheDeflateRing() {
        long before = mmio.controller().faultCount(QueueFault.AVAILABLE_INDEX_JUMP);
        ram.putShort(queueAt(DEFLATE).availableRing() + Short.BYTES, QUEUE_SIZE + 1);
        transport.kick(DEFLATE);
        long after = mmio.controller().faultCount(QueueFault.AVAILABLE_INDEX_JUMP);
        require(after == before + 1, "a fault");
    }

    private void restore(byte[] saved) {
        ram.putShort(queueAt(DEFLATE).availableRing() + Short.BYTES, 0);
        try {
            mmio.restore(saved);
        } catch (SnapshotException e) {
            throw new AssertionError(e);
        }
        mmio.poll(1);
    }

    private static void expectNone(@Nullable HandshakeFailure failure) {
        require(failure == null, "a handshake, not " + failure);
    }

    private static void require(boolean holds, String expected) {
        if (!holds) {
            throw new AssertionError("expected " + expected);
        }
    }
}
