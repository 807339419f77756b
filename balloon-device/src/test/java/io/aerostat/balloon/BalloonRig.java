package io.aerostat.balloon;

import static io.aerostat.virtio.spec.balloon.QueueNumbering.ABSENT;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.range.RecordingReclaimer;
import io.aerostat.balloon.range.WholePages;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.IndirectTables;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.QueueNumbering;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * A balloon behind its registers, and a driver that is stepped by hand: nothing happens between
 * {@link #offer} and {@link #poll} that a test does not ask for, and time stands still but for
 * {@link #pass}.
 *
 * <pre>
 *   page of RAM   0 1 2        3 4 5        6 .. 21          22 .. 92   93 94 95        96 ..
 *                 inflate ring deflate ring indirect tables  requests   further rings:  data: for
 *                 (desc, avail, used: a page each)                      stats, hints,   the balloon
 *                                                                       reports
 * </pre>
 *
 * <p>Queues are named by the constants here, whatever index they have: {@link #index}.
 */
final class BalloonRig {
    static final int INFLATE = 0;
    static final int DEFLATE = 1;
    static final int STATS = 2;
    static final int HINTS = 3;
    static final int REPORTS = 4;

    /** Entries of all queues. */
    static final int QUEUE_SIZE = 128;

    /** What a driver of page numbers takes: the inflate queue, the deflate queue, no other. */
    static final long PAGE_FEATURES =
            Feature.VERSION_1
                    | Feature.INDIRECT_DESC
                    | Feature.EVENT_IDX
                    | BalloonFeature.MUST_TELL_HOST;

    static final long ALL_FEATURES = PAGE_FEATURES | BalloonOptions.ALL_FEATURES;

    static final long SECOND_NS = 1_000_000_000L;

    static final int INDIRECT_PAGE = 6;
    static final int REQUEST_PAGE = 22;
    static final int FURTHER_RING_PAGE = 93;
    static final int DATA_PAGE = 96;

    private static final int BALLOON_ID = 5;
    private static final int PAGE = GuestRam.PAGE;
    private static final int QUEUE_SEL = 0x30;
    private static final int QUEUE_READY = 0x44;
    private static final int INDIRECT_TABLE_LENGTH = 16;
    private static final int RAM_PAGES = 512;
    private static final int POLLS_WITHOUT_END = 100_000;
    private static final BalloonQueue[] QUEUES = BalloonQueue.values();

    final GuestRam ram;
    final RecordingReclaimer reclaimer;
    final BalloonDevice device;
    final MmioDevice mmio;
    final MmioTransport transport;
    final DriverQueue[] queues = new DriverQueue[QUEUES.length];
    final RingBytes[] rings = new RingBytes[QUEUES.length];

    /** The owner's clock. */
    long nowNs = 77 * SECOND_NS;

    private final QueueNumbering numbering;
    private final int[] indices = {0, 1, ABSENT, ABSENT, ABSENT};
    private DriverHandshake handshake;
    private long nextRequest;
    private int interrupts;

    /** A balloon of default options in 2 MiB of RAM with a hole behind. */
    BalloonRig() {
        this(BalloonOptions.DEFAULT);
    }

    BalloonRig(BalloonOptions options) {
        this(GuestRam.of(GuestRam.Kind.WITH_HOLE, RAM_PAGES * PAGE), options, PAGE);
    }

    BalloonRig(GuestRam ram, BalloonOptions options, int granularityBytes) {
        this.ram = ram;
        this.numbering = options.numbering();
        this.reclaimer = new RecordingReclaimer(ram, granularityBytes);
        this.device = new BalloonDevice(ram.memory(), reclaimer, options);
        this.mmio =
                new MmioDevice(
                        ram.memory(),
                        device,
                        level -> interrupts += level ? 1 : 0,
                        Ownership.REGISTER_THREAD,
                        () -> {});
        this.transport = new MmioTransport(mmio);
        this.handshake = new DriverHandshake(transport);
        for (int queue = 0; queue < rings.length; queue++) {
            long gpa = gpa(queue <= DEFLATE ? 3 * queue : FURTHER_RING_PAGE + queue - STATS);
            rings[queue] =
                    queue <= DEFLATE
                            ? new RingBytes(ram, QUEUE_SIZE, gpa, gpa + PAGE, gpa + 2 * PAGE)
                            : RingBytes.at(ram, QUEUE_SIZE, gpa);
        }
        for (int page = DATA_PAGE; page < ram.length() / PAGE; page++) {
            fill(page, fillOf(page));
        }
    }

    /** What the test's guest keeps in a data page; never what a reclaimer scribbles. */
    private static int fillOf(int page) {
        return 1 + page % 100;
    }

    /** Brings the device up with the two queues of page numbers. */
    BalloonRig start() {
        return start(PAGE_FEATURES);
    }

    /** Brings the device up with those of the features that it offers, and lets it come to rest. */
    BalloonRig start(long features) {
        prepare(features);
        finish();
        settle();
        takeInterrupts();
        return this;
    }

    /** Sets up all queues that these features bring, short of DRIVER_OK. */
    void prepare(long features) {
        handshake = new DriverHandshake(transport);
        assertNull(handshake.negotiate(BALLOON_ID, features, 0));
        for (int queue = 0; queue < queues.length; queue++) {
            indices[queue] =
                    numbering.indexOf(QUEUES[queue], handshake.offered(), handshake.features());
            if (indices[queue] != ABSENT) {
                enable(queue);
            }
        }
        nextRequest = gpa(REQUEST_PAGE);
    }

    /** Makes a queue live, at its start. */
    void enable(int queue) {
        QueueAddresses addresses = rings[queue].addresses();
        long tables = gpa(INDIRECT_PAGE + 8 * queue);
        IndirectTables indirect =
                queue <= DEFLATE
                        ? new IndirectTables(
                                ram.memory(), tables, QUEUE_SIZE, INDIRECT_TABLE_LENGTH)
                        : null;
        queues[queue] = new DriverQueue(ram.memory(), addresses, handshake.features(), indirect);
        assertNull(handshake.enableQueue(indices[queue], addresses));
    }

    /** Stops a queue. */
    void stop(int queue) {
        mmio.store(QUEUE_SEL, 4, indices[queue]);
        mmio.store(QUEUE_READY, 4, 0);
    }

    /** Sets DRIVER_OK. */
    void finish() {
        assertNull(handshake.finish());
    }

    /** The index of a queue, or {@link QueueNumbering#ABSENT}. */
    int index(int queue) {
        return indices[queue];
    }

    // --- pages

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

    /** The guest writes a page, counted from the start of RAM. */
    void fill(int page, int value) {
        WholePages.fill(ram.memory(), gpa(page), PAGE, value);
    }

    /** Numbers of data pages: {@code count} from {@code first} up. */
    int[] dataRun(int first, int count) {
        int[] pfns = new int[count];
        Arrays.setAll(pfns, i -> data(first + i));
        return pfns;
    }

    /** A range as the reclaimer's record has it: data pages from {@code first}. */
    String range(int first, int pages) {
        return Integer.toUnsignedString(data(first)) + "+" + pages;
    }

    // --- the driver

    /** Writes page numbers to fresh memory and returns where. */
    long write(int... pfns) {
        long gpa = nextRequest;
        nextRequest += (long) pfns.length * Integer.BYTES;
        assertTrue(nextRequest <= gpa(FURTHER_RING_PAGE), "requests need more room");
        for (int i = 0; i < pfns.length; i++) {
            ram.putLe32(gpa + (long) i * Integer.BYTES, pfns[i]);
        }
        return gpa;
    }

    /** Makes a request of one element available, without a kick. */
    void offer(int queue, int... pfns) {
        offer(queue, write(pfns), (long) pfns.length * Integer.BYTES, false);
    }

    void offer(int queue, long gpa, long length, boolean writable) {
        assertTrue(queues[queue].add(gpa, length, writable) >= 0);
        queues[queue].publish();
    }

    /** Makes a request of several elements available, without a kick. */
    void offer(int queue, long[] gpas, long[] lengths, int readable, int writable) {
        assertTrue(queues[queue].add(gpas, lengths, readable, writable) >= 0);
        queues[queue].publish();
    }

    void kick(int queue) {
        transport.kick(indices[queue]);
    }

    int poll() {
        return mmio.controller().poll(nowNs);
    }

    /** Time passes; then the device comes to rest. */
    void pass(long ns) {
        nowNs += ns;
        settle();
    }

    /** Polls until there is nothing to do. */
    void settle() {
        for (int polls = 0; poll() != 0; polls++) {
            if (polls == POLLS_WITHOUT_END) {
                fail("the device finds no end");
            }
        }
    }

    /** Takes back what was used and returns how many requests that was. */
    int reap(int queue) {
        int count = 0;
        while (queues[queue].poll() >= 0) {
            assertEquals(0, queues[queue].usedLength(), "used length");
            count++;
        }
        assertNull(queues[queue].fault());
        if (queues[INFLATE].inFlight() + queues[DEFLATE].inFlight() == 0) {
            nextRequest = gpa(REQUEST_PAGE);
        }
        return count;
    }

    /** One request from offer to return. */
    void inflate(int... pfns) {
        request(INFLATE, pfns);
    }

    /** One request from offer to return. */
    void deflate(int... pfns) {
        request(DEFLATE, pfns);
    }

    private void request(int queue, int... pfns) {
        offer(queue, pfns);
        kick(queue);
        settle();
        assertEquals(1, reap(queue), "requests returned");
    }

    /** The driver writes {@code actual}, and the device takes note. */
    void actual(int pages) {
        transport.writeConfig(4, pages);
        settle();
    }

    // --- what can be seen

    /** Interrupts since the last look; acknowledges them. */
    int takeInterrupts() {
        int taken = interrupts;
        takeCauses();
        return taken;
    }

    /** Causes of interrupts since the last look, as InterruptStatus has them; acknowledges them. */
    int takeCauses() {
        int causes = transport.interruptCauses();
        transport.acknowledge(causes);
        interrupts = 0;
        return causes;
    }

    boolean needsReset() {
        return (transport.status() & 0x40) != 0;
    }

    /** The device asks for a reset, and for this reason alone. */
    void assertFault(QueueFault expected) {
        assertTrue(needsReset(), "DEVICE_NEEDS_RESET");
        for (QueueFault fault : QueueFault.values()) {
            assertEquals(
                    fault == expected ? 1 : 0,
                    mmio.controller().faultCount(fault),
                    fault.toString());
        }
    }

    long counter(BalloonCounter counter) {
        return device.counters().get(counter);
    }

    /** All counters but those that are 0. */
    Map<BalloonCounter, Long> counters() {
        Map<BalloonCounter, Long> values = new EnumMap<>(BalloonCounter.class);
        for (BalloonCounter counter : BalloonCounter.values()) {
            if (counter(counter) != 0) {
                values.put(counter, counter(counter));
            }
        }
        return values;
    }

    /** The anomalies among the counters but those that are 0. */
    Map<BalloonCounter, Long> anomalies() {
        Map<BalloonCounter, Long> values = counters();
        values.keySet().removeIf(counter -> !counter.isAnomaly());
        return values;
    }

    /** All bytes of RAM, the page behind the hole among them. */
    byte[] snapshot() {
        return WholePages.copyAll(ram.memory());
    }

    /**
     * Nothing has changed since {@code before} but used rings, and the named pages: those are
     * scribbled over.
     */
    void assertOnlyDiscarded(byte[] before, int... pfns) {
        byte[] expected = before.clone();
        for (int pfn : pfns) {
            int at = (int) (pfn * (long) PAGE - ram.base());
            at -= at >= ram.length() ? PAGE : 0;
            Arrays.fill(expected, at, at + PAGE, (byte) RecordingReclaimer.SCRIBBLE);
        }
        byte[] now = snapshot();
        for (int queue = 0; queue < rings.length; queue++) {
            if (indices[queue] != ABSENT) {
                int used = (int) (rings[queue].addresses().usedRing() - ram.base());
                System.arraycopy(now, used, expected, used, 6 + 8 * QUEUE_SIZE);
            }
        }
        int mismatch = Arrays.mismatch(expected, now);
        assertEquals(-1, mismatch, () -> "page " + mismatch / PAGE + " of RAM");
    }
}
