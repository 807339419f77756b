package io.aerostat.balloon;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.PageRanges;
import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.balloon.range.RecordingReclaimer;
import io.aerostat.balloon.range.WholePages;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.IndirectTables;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.QueueNumbering;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * A balloon with all five queues whose device can be exchanged: saved, and restored as another one
 * on the same RAM, for the same driver and the same host. The owner's clock is stepped by hand; a
 * device's own clock may have any origin.
 *
 * <pre>
 *   page of RAM   0 .. 14               16 .. 25          32 .. 71                 96 ..
 *                 rings, three pages    indirect tables   requests, eight slots    data
 *                 for each queue                          for each queue
 * </pre>
 */
final class SnapshotRig {
    /** Entries of each queue. */
    static final int QUEUE_SIZE = 32;

    /** Requests of one queue that have memory of their own. */
    static final int SLOTS = 8;

    static final int REQUEST_PAGE = 32;
    static final int DATA_PAGE = 96;

    /** Pages of RAM without a gap: three of 2 MiB. One more lies behind a hole. */
    static final int RAM_PAGES = 1536;

    static final long ALL_FEATURES =
            Feature.VERSION_1
                    | Feature.INDIRECT_DESC
                    | Feature.EVENT_IDX
                    | BalloonOptions.ALL_FEATURES;

    static final BalloonOptions OPTIONS =
            BalloonOptions.DEFAULT
                    .withFeatures(BalloonOptions.ALL_FEATURES)
                    .withQueueSize(QUEUE_SIZE);

    static final int PAGE = GuestRam.PAGE;

    private static final int BALLOON_ID = 5;
    private static final long BASE = 1L << 21;
    private static final int INDIRECT_PAGE = 16;
    private static final int INDIRECT_TABLE_LENGTH = 16;
    private static final int POLLS_WITHOUT_END = 100_000;
    private static final BalloonQueue[] QUEUES = BalloonQueue.values();

    final GuestRam ram;
    final BalloonOptions options;
    final RecordingReclaimer record;
    final RingBytes[] rings = new RingBytes[QUEUES.length];
    final @Nullable DriverQueue[] drivers = new @Nullable DriverQueue[QUEUES.length];

    /** The features that the driver took last. */
    long features;

    /** Time since the machine was made; the owner's clock is {@link #originNs} ahead. */
    long clockNs;

    BalloonDevice device;
    MmioDevice mmio;
    MmioTransport transport;
    boolean level;

    private final PageReclaimer.Content content;
    private final int[] nextSlot = new int[QUEUES.length];
    private final long[] pastCounts = new long[BalloonCounter.values().length];
    private final long[] pastFaults = new long[QueueFault.values().length];
    private @Nullable BalloonDevice left;
    private @Nullable MmioDevice leftMmio;
    private long originNs;

    /** RAM of its own, and a device that nobody has brought up. */
    SnapshotRig(BalloonOptions options, int unitBytes) {
        this(options, unitBytes, PageReclaimer.Content.UNDEFINED);
    }

    SnapshotRig(BalloonOptions options, int unitBytes, PageReclaimer.Content content) {
        this.ram = GuestRam.of(GuestRam.Kind.WITH_HOLE, BASE, RAM_PAGES * PAGE);
        this.options = options;
        this.content = content;
        this.record = new RecordingReclaimer(ram, unitBytes);
        this.device = newDevice(options, record);
        this.mmio = newMmio(device);
        this.transport = new MmioTransport(mmio);
        for (int queue = 0; queue < rings.length; queue++) {
            long gpa = gpa(3 * queue);
            rings[queue] = new RingBytes(ram, QUEUE_SIZE, gpa, gpa + PAGE, gpa + 2 * PAGE);
        }
        for (int page = DATA_PAGE; page < RAM_PAGES; page++) {
            WholePages.fill(ram.memory(), gpa(page), PAGE, 1 + page % 100);
        }
    }

    /** A device for this machine's RAM that is not its device. */
    BalloonDevice newDevice(BalloonOptions options, RecordingReclaimer host) {
        PageReclaimer says =
                content == PageReclaimer.Content.UNDEFINED ? host : new Leaves(host, content);
        return new BalloonDevice(ram.memory(), says, options);
    }

    /** Registers before a device; the interrupt line is the machine's. */
    MmioDevice newMmio(BalloonDevice device) {
        return new MmioDevice(
                ram.memory(), device, high -> level = high, Ownership.REGISTER_THREAD, () -> {});
    }

    // --- another device

    /** The device is saved, and another one goes on, whose owner's clock has another origin. */
    void succeed(long newOriginNs) throws SnapshotException {
        succeed(newOriginNs, newDevice(options, record));
    }

    void succeed(long newOriginNs, BalloonDevice next) throws SnapshotException {
        succeed(newOriginNs, next, newMmio(next));
    }

    /** The device before this one goes on, in whose state nothing may be left of then. */
    void goBack(long newOriginNs) throws SnapshotException {
        BalloonDevice before = left;
        MmioDevice itsRegisters = leftMmio;
        if (before != null && itsRegisters != null) {
            succeed(newOriginNs, before, itsRegisters);
        }
    }

    /** The device itself goes on from what it saved. */
    void restoreInPlace(long newOriginNs) throws SnapshotException {
        mmio.restore(mmio.save());
        originNs = newOriginNs;
    }

    private void succeed(long newOriginNs, BalloonDevice next, MmioDevice itsRegisters)
            throws SnapshotException {
        byte[] snapshot = mmio.save();
        // What the next one has counted before is in the sum already.
        for (BalloonCounter counter : BalloonCounter.values()) {
            pastCounts[counter.ordinal()] = counter(counter) - next.counters().get(counter);
        }
        for (QueueFault fault : QueueFault.values()) {
            long counted = itsRegisters.controller().faultCount(fault);
            pastFaults[fault.ordinal()] = faults(fault) - counted;
        }
        level = false;
        left = device;
        leftMmio = mmio;
        device = next;
        mmio = itsRegisters;
        mmio.restore(snapshot);
        transport = new MmioTransport(mmio);
        originNs = newOriginNs;
    }

    /** Counts of all devices that this machine has had. */
    long counter(BalloonCounter counter) {
        return pastCounts[counter.ordinal()] + device.counters().get(counter);
    }

    long faults(QueueFault fault) {
        return pastFaults[fault.ordinal()] + mmio.controller().faultCount(fault);
    }

    /** The owner's clock. */
    long ownersNowNs() {
        return clockNs + originNs;
    }

    // --- the driver

    /** Brings the device up and lets it come to rest. */
    SnapshotRig start(long wanted) {
        bringUp(wanted);
        settle();
        transport.acknowledge(3);
        return this;
    }

    /** Brings the device up with all queues that these features have. */
    void bringUp(long wanted) {
        DriverHandshake handshake = new DriverHandshake(transport);
        assertNull(handshake.negotiate(BALLOON_ID, wanted, 0));
        features = handshake.features();
        Arrays.fill(drivers, null);
        for (BalloonQueue queue : QUEUES) {
            if (indexOf(queue) != QueueNumbering.ABSENT) {
                enable(queue);
            }
        }
        assertNull(handshake.finish());
    }

    /** Makes a queue live at its place, with nothing in it. */
    void enable(BalloonQueue queue) {
        int which = queue.ordinal();
        long tables = gpa(INDIRECT_PAGE + 2 * which);
        drivers[which] =
                new DriverQueue(
                        ram.memory(),
                        rings[which].addresses(),
                        features,
                        new IndirectTables(
                                ram.memory(), tables, QUEUE_SIZE, INDIRECT_TABLE_LENGTH));
        nextSlot[which] = 0;
        transport.enableQueue(indexOf(queue), rings[which].addresses());
    }

    /** The index of a queue under the features that the driver took, or ABSENT. */
    int indexOf(BalloonQueue queue) {
        return options.numbering().indexOf(queue, options.features(), features);
    }

    DriverQueue driver(BalloonQueue queue) {
        DriverQueue driver = drivers[queue.ordinal()];
        if (driver == null) {
            throw new IllegalStateException("no such queue: queue=" + queue);
        }
        return driver;
    }

    /** Memory for a request: a page, that of the request eight before. */
    long slot(BalloonQueue queue) {
        int which = queue.ordinal();
        return gpa(REQUEST_PAGE + SLOTS * which + nextSlot[which]++ % SLOTS);
    }

    /** Makes a buffer available and kicks. */
    void offer(BalloonQueue queue, long[] gpas, long[] lengths, int readable, int writable) {
        assertTrue(driver(queue).add(gpas, lengths, readable, writable) >= 0, "queue is full");
        driver(queue).publish();
        kick(queue);
    }

    /** Makes page numbers available in one element, and kicks. */
    void offer(BalloonQueue queue, int... pfns) {
        long gpa = slot(queue);
        write(gpa, pfns);
        offer(queue, new long[] {gpa}, new long[] {4L * pfns.length}, 1, 0);
    }

    /** Makes a buffer of statistics available, and kicks. */
    void supply(long... tagsAndValues) {
        long gpa = slot(BalloonQueue.STATS);
        for (int i = 0; i < tagsAndValues.length; i += 2) {
            ram.putLe16(gpa + 5L * i, (int) tagsAndValues[i]);
            ram.putLe64(gpa + 5L * i + 2, tagsAndValues[i + 1]);
        }
        offer(BalloonQueue.STATS, new long[] {gpa}, new long[] {5L * tagsAndValues.length}, 1, 0);
    }

    /** Makes a command of free page hinting available, and kicks. */
    void hintCommand(int command) {
        long gpa = slot(BalloonQueue.FREE_PAGE_HINT);
        ram.putLe32(gpa, command);
        offer(BalloonQueue.FREE_PAGE_HINT, new long[] {gpa}, new long[] {4}, 1, 0);
    }

    /** Makes data pages available to be written: hints, or a report. */
    void freePages(BalloonQueue queue, int first, int pages) {
        offer(queue, new long[] {gpa(DATA_PAGE + first)}, new long[] {(long) pages * PAGE}, 0, 1);
    }

    void write(long gpa, int... pfns) {
        for (int i = 0; i < pfns.length; i++) {
            ram.putLe32(gpa + 4L * i, pfns[i]);
        }
    }

    void kick(BalloonQueue queue) {
        int index = indexOf(queue);
        if (index != QueueNumbering.ABSENT) {
            transport.kick(index);
        }
    }

    /** Kicks whatever number a queue may have. */
    void kickAll() {
        for (int index = 0; index < QUEUES.length; index++) {
            transport.kick(index);
        }
    }

    /** Takes back what was used and returns how many buffers that was. */
    int reap(BalloonQueue queue) {
        int count = 0;
        DriverQueue driver = driver(queue);
        while (driver.poll() >= 0) {
            count++;
        }
        return count;
    }

    // --- time

    int poll() {
        return mmio.controller().poll(ownersNowNs());
    }

    /** Time goes on, and the device sees it. */
    void pass(long ns) {
        clockNs += ns;
        poll();
    }

    /** Polls until there is nothing to do. */
    void settle() {
        for (int polls = 0; poll() != 0; polls++) {
            if (polls == POLLS_WITHOUT_END) {
                fail("the device finds no end");
            }
        }
    }

    // --- what can be seen

    /** Address of a page, counted from the start of RAM. */
    long gpa(int page) {
        return ram.base() + (long) page * PAGE;
    }

    /** Number of a page, counted from the start of RAM. */
    int pfn(int page) {
        return (int) (gpa(page) / PAGE);
    }

    /** Number of a data page, counted from the first. */
    int data(int index) {
        return pfn(DATA_PAGE + index);
    }

    /** Numbers of data pages: {@code count} from {@code first} up. */
    int[] dataRun(int first, int count) {
        int[] pfns = new int[count];
        Arrays.setAll(pfns, i -> data(first + i));
        return pfns;
    }

    boolean needsReset() {
        return (transport.status() & 0x40) != 0;
    }

    /** What is in the balloon, as "first pfn+pages" each. */
    String ballooned() {
        StringBuilder ranges = new StringBuilder();
        device.ballooned().forEachRange((pfn, pages) -> append(ranges, pfn, pages));
        return ranges.toString();
    }

    /** What was hinted in this round. */
    String hinted() {
        StringBuilder ranges = new StringBuilder();
        device.hinting().forEachHintedRange((pfn, pages) -> append(ranges, pfn, pages));
        return ranges.toString();
    }

    private static void append(StringBuilder ranges, long pfn, long pages) {
        ranges.append(pfn).append('+').append(pages).append(' ');
    }

    /** All registers, and the interrupt line. */
    String registers() {
        StringBuilder all = new StringBuilder();
        for (long offset = 0; offset < MmioDevice.WINDOW_BYTES; offset += 4) {
            all.append(Long.toHexString(mmio.load(offset, 4))).append(' ');
        }
        return all.append(level).toString();
    }

    /** What the guest said last and how old it is; right once the owner's clock was seen. */
    String figures() {
        GuestStatistics latest = device.statistics().latest().orElse(null);
        return latest == null
                ? "none"
                : latest + ", " + latest.unknown() + ", age " + latest.ageNs(ownersNowNs());
    }

    /** All that a guest or a host can see, but RAM. */
    String state() {
        StringBuilder all = new StringBuilder(registers());
        all.append("\nballooned ").append(ballooned());
        all.append("\nhinted ").append(hinted());
        all.append("\nfigures ").append(figures());
        all.append("\npages ").append(device.ledgerPages()).append(' ');
        all.append(device.incompletePages()).append(' ').append(device.targetPages());
        all.append(' ').append(device.actualPages()).append(' ');
        all.append(device.negotiatedFeatures());
        all.append("\nround ").append(device.hinting().round()).append(' ');
        all.append(device.hinting().hintedPages()).append("\ncounts");
        for (BalloonCounter counter : BalloonCounter.values()) {
            all.append(' ').append(counter).append('=').append(counter(counter));
        }
        for (QueueFault fault : QueueFault.values()) {
            all.append(' ').append(faults(fault));
        }
        return all.toString();
    }

    /** The bytes of all rings. */
    byte[] ringBytes() {
        return WholePages.copy(ram.memory(), gpa(0), 15 * PAGE);
    }

    /** All bytes of RAM, the page behind the hole among them. */
    byte[] ramBytes() {
        GuestMemory memory = ram.memory();
        byte[] bytes = new byte[(int) memory.bytes()];
        int at = 0;
        for (RamRegion region : memory.regions()) {
            int length = (int) region.length();
            System.arraycopy(WholePages.copy(memory, region.gpa(), length), 0, bytes, at, length);
            at += length;
        }
        return bytes;
    }

    /** A host that says what it leaves behind. */
    private record Leaves(PageReclaimer host, Content contentAfterDiscard)
            implements PageReclaimer {
        @Override
        public int granularityBytes() {
            return host.granularityBytes();
        }

        @Override
        public long discard(PageRanges ranges) {
            return host.discard(ranges);
        }

        @Override
        public void reuse(PageRanges ranges) {
            host.reuse(ranges);
        }

        @Override
        public long discardCalls() {
            return host.discardCalls();
        }

        @Override
        public long residentBytes(long gpa, long length) {
            return host.residentBytes(gpa, length);
        }
    }
}
