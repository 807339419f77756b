package io.aerostat.memory.own;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.IndirectTables;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.QueueNumbering;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.LongPredicate;

/**
 * A guest with requests of all kinds under way, and a host that wants this and that: one act after
 * the other on the register thread, by the registers, by its RAM where there is some, or not at all
 * by the rules.
 *
 * <pre>
 *   page of a part   rings:     0 .. 19  four pages for each queue        64 ..  data
 *                    buffers:   0 .. 4   indirect tables   8 .. 23  requests   64 ..  data
 * </pre>
 */
final class RestlessGuest {
    static final int QUEUE_SIZE = 32;
    static final BalloonOptions OPTIONS =
            BalloonOptions.DEFAULT
                    .withFeatures(BalloonOptions.ALL_FEATURES)
                    .withQueueSize(QUEUE_SIZE);

    private static final int PAGE = RamRegion.PAGE_BYTES;
    private static final int DATA_PAGE = 64;
    private static final int DATA_PAGES = 192;
    private static final int TABLE_LENGTH = 8;
    private static final int SLOTS = 16;
    private static final int WINDOW_BYTES = 0x200;
    private static final long ALL_FEATURES = Feature.SUPPORTED_MASK | OPTIONS.features();
    private static final BalloonQueue[] QUEUES = BalloonQueue.values();

    final MmioDevice mmio;
    final BalloonDevice balloon;
    private final GuestMemory memory;
    private final long rings;
    private final long buffers;
    private final boolean polls;
    private final LongPredicate isThere;
    private final Random random;
    private final @Nullable DriverQueue[] drivers = new @Nullable DriverQueue[QUEUES.length];
    private final List<Snapshot> snapshots = new ArrayList<>();
    private long features;
    private int slot;
    private long nowNs;

    /**
     * @param rings address of the part of RAM with the rings
     * @param buffers address of the part with all else
     * @param polls whether this thread is the device's owner
     * @param isThere whether there is RAM at an address: by what the machine has mapped, so that
     *     the guest itself touches nothing else, whatever the memory under test believes
     */
    RestlessGuest(
            MmioDevice mmio,
            BalloonDevice balloon,
            GuestMemory memory,
            long rings,
            long buffers,
            boolean polls,
            LongPredicate isThere,
            Random random) {
        this.mmio = mmio;
        this.balloon = balloon;
        this.memory = memory;
        this.rings = rings;
        this.buffers = buffers;
        this.polls = polls;
        this.isThere = isThere;
        this.random = random;
    }

    /** Brings the device up, with its queues where they always are, be there RAM or not. */
    void bringUp() {
        MmioTransport transport = new MmioTransport(mmio);
        DriverHandshake handshake = new DriverHandshake(transport);
        if (handshake.negotiate(DeviceType.BALLOON, ALL_FEATURES, 0) != null) {
            return;
        }
        features = handshake.features();
        for (BalloonQueue queue : QUEUES) {
            QueueAddresses addresses =
                    QueueAddresses.inBlock(QUEUE_SIZE, rings + 4L * PAGE * queue.ordinal());
            drivers[queue.ordinal()] = isThere.test(rings) ? driver(queue, addresses) : null;
            handshake.enableQueue(indexOf(queue), addresses);
        }
        handshake.finish();
    }

    private DriverQueue driver(BalloonQueue queue, QueueAddresses addresses) {
        long tables = buffers + (long) PAGE * queue.ordinal();
        IndirectTables indirect =
                isThere.test(tables)
                        ? new IndirectTables(memory, tables, QUEUE_SIZE, TABLE_LENGTH)
                        : null;
        return new DriverQueue(memory, addresses, features, indirect);
    }

    int indexOf(BalloonQueue queue) {
        QueueNumbering numbering = OPTIONS.numbering();
        return numbering.indexOf(queue, balloon.offeredFeatures(), features);
    }

    /** Has a request on every queue, so that some are under way. */
    void askForEverything() {
        for (BalloonQueue queue : QUEUES) {
            offer(queue);
            offer(queue);
        }
        for (BalloonQueue queue : QUEUES) {
            mmio.store(0x50, 4, indexOf(queue));
        }
    }

    /** The guest or the host does something. */
    void act() {
        switch (random.nextInt(40)) {
            case 0, 1 -> bringUp();
            case 2 -> reset();
            case 3 -> travelInTime();
            case 4, 5 -> command();
            case 6, 7, 8, 9, 10, 11, 12, 13 -> {
                offer(QUEUES[random.nextInt(QUEUES.length)]);
                mmio.store(0x50, 4, random.nextInt(QUEUES.length));
            }
            case 14, 15, 16, 17, 18 -> storeAnything();
            case 19, 20, 21 -> mmio.load(random.nextInt(WINDOW_BYTES + 16), width());
            case 22, 23 -> mmio.store(0x104, 4, random.nextInt(4 * DATA_PAGES));
            case 24, 25 -> reap();
            case 26 -> mmio.store(0x64, 4, 3);
            case 27, 28, 29, 30 -> mmio.store(0x50, 4, random.nextInt(QUEUES.length + 1));
            default -> poll();
        }
    }

    /** A pass, if this thread is the device's owner. */
    void poll() {
        if (polls) {
            nowNs += random.nextInt(300_000_000);
            mmio.poll(nowNs);
        }
    }

    private void reset() {
        if (random.nextBoolean()) {
            mmio.reset();
        } else {
            mmio.store(0x70, 4, 0);
        }
    }

    /** Saves the device, or puts it back to when there was more RAM, or less. */
    private void travelInTime() {
        if (snapshots.size() < 4) {
            remember();
        } else {
            restore(snapshots.get(random.nextInt(snapshots.size())));
        }
    }

    /** Saves the device for {@link #act}, which may come back to it. */
    void remember() {
        snapshots.add(new Snapshot(mmio.save(), memory.changes()));
    }

    private void restore(Snapshot snapshot) {
        try {
            mmio.restore(snapshot.bytes);
        } catch (SnapshotException e) {
            // Its queues may lie where there is no RAM now. Otherwise the device goes back.
            if (snapshot.memoryChanges == memory.changes()) {
                throw new AssertionError("this device saved it", e);
            }
        }
    }

    /** A state of the device, and when RAM had last changed. */
    private static final class Snapshot {
        final byte[] bytes;
        final int memoryChanges;

        Snapshot(byte[] bytes, int memoryChanges) {
            this.bytes = bytes;
            this.memoryChanges = memoryChanges;
        }
    }

    private void command() {
        switch (random.nextInt(8)) {
            case 0 -> balloon.target(random.nextInt(4 * DATA_PAGES / 2));
            case 1 -> balloon.statistics().request();
            case 2 -> balloon.statistics().period(random.nextInt(2) * 1_000_000_000L);
            case 3 -> balloon.hinting().start();
            case 4 -> balloon.hinting().done();
            case 5 -> balloon.onGuestAccess(dataPage(), verdict -> {});
            default -> mmio.controller().execute(() -> balloon.ballooned().verifiedBytes());
        }
    }

    private int width() {
        return 1 << random.nextInt(4);
    }

    private void storeAnything() {
        long value =
                switch (random.nextInt(5)) {
                    case 0 -> random.nextInt(3);
                    case 1 -> 0xF;
                    case 2 -> dataPage();
                    case 3 -> random.nextLong();
                    default -> random.nextInt(64);
                };
        int offset = random.nextInt(WINDOW_BYTES + 16);
        mmio.store(random.nextBoolean() ? offset & -4 : offset, width(), value);
    }

    /** Address of a page of either part. */
    private long dataPage() {
        long part = random.nextBoolean() ? rings : buffers;
        return part + (long) PAGE * (DATA_PAGE + random.nextInt(DATA_PAGES));
    }

    private void reap() {
        for (int i = 0; i < drivers.length && isThere.test(rings); i++) {
            DriverQueue driver = drivers[i];
            while (driver != null && driver.poll() >= 0) {
                driver.armAndRecheck();
            }
            if (driver != null && driver.fault() != null) {
                drivers[i] = null;
            }
        }
    }

    private void offer(BalloonQueue queue) {
        DriverQueue driver = drivers[queue.ordinal()];
        if (driver == null || !isThere.test(rings)) {
            return;
        }
        // Without room for tables, and for page numbers, it is an element of what is no RAM.
        if (!isThere.test(buffers)) {
            driver.add(slot(), PAGE, queue.ordinal() > BalloonQueue.STATS.ordinal());
            driver.publish();
            return;
        }
        switch (queue) {
            case INFLATE, DEFLATE -> offerPages(driver);
            case STATS -> driver.add(statistics(), 10, false);
            case FREE_PAGE_HINT -> {
                long[] gpas = {slot(random.nextInt(3)), dataPage()};
                driver.add(gpas, new long[] {Integer.BYTES, PAGE}, 1, 1);
            }
            case REPORTING -> {
                long[] gpas = {dataPage(), dataPage(), dataPage()};
                driver.add(gpas, new long[] {PAGE, PAGE, PAGE}, 0, 3);
            }
        }
        driver.publish();
    }

    /** Many page numbers, in one element or in several behind an indirect table. */
    private void offerPages(DriverQueue driver) {
        int[] pfns = new int[8 * (1 + random.nextInt(100))];
        for (int i = 0; i < pfns.length; i++) {
            pfns[i] = (int) (dataPage() / PAGE);
        }
        long gpa = slot(pfns);
        long bytes = (long) pfns.length * Integer.BYTES;
        if (random.nextBoolean()) {
            driver.add(gpa, bytes, false);
            return;
        }
        long[] gpas = new long[TABLE_LENGTH];
        long[] lengths = new long[TABLE_LENGTH];
        for (int i = 0; i < TABLE_LENGTH; i++) {
            lengths[i] = bytes / TABLE_LENGTH;
            gpas[i] = gpa + i * lengths[i];
        }
        driver.add(gpas, lengths, TABLE_LENGTH, 0);
    }

    private long statistics() {
        return slot(random.nextInt(10) | random.nextInt() << 16, random.nextInt(), 0);
    }

    /** Memory for a request, which holds this. */
    private long slot(int... values) {
        slot = (slot + 1) % SLOTS;
        long gpa = buffers + (long) PAGE * (8 + slot);
        if (values.length > 0) {
            RamAccess.of(memory, gpa, PAGE).putInts(0, values, 0, values.length);
        }
        return gpa;
    }
}
