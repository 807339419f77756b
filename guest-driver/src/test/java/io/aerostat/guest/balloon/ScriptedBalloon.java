package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.device.DeviceController;
import io.aerostat.virtio.device.Interrupts;
import io.aerostat.virtio.device.VirtioDevice;
import io.aerostat.virtio.queue.ChainCursor;
import io.aerostat.virtio.queue.DeviceQueue;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.spec.balloon.QueueNumbering;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A balloon device that does nothing by itself: it records each request, and returns it when a test
 * says so.
 *
 * <p>It keeps its own book of the pages, from the driver's requests alone, and throws an {@link
 * AssertionError} when a request does not go with it: a page named twice, or deflated that is not
 * in the balloon. {@link GuardedPages} asks that book before it lets the driver free a page.
 */
final class ScriptedBalloon implements VirtioDevice {
    static final int INFLATE = 0;
    static final int DEFLATE = 1;
    static final int STATS = 2;
    static final int HINT = 3;
    static final int REPORTING = 4;

    static final long OFFER = Feature.VERSION_1 | Feature.EVENT_IDX | BalloonFeature.MUST_TELL_HOST;

    private static final BalloonQueue[] QUEUES = BalloonQueue.values();
    private static final int MAX_ELEMENTS = 64;

    private final GuestRam ram;
    private final long offered;
    private final ConfigSpace config;
    private final DeviceQueue[] rings = new DeviceQueue[QUEUES.length];
    private final QueueAddresses[] places = new QueueAddresses[QUEUES.length];
    private final List<BalloonRequest> log = new ArrayList<>();
    private final List<BalloonRequest> waiting = new ArrayList<>();
    private final BitSet held = new BitSet();
    private final BitSet confirmed = new BitSet();
    private final BitSet deflating = new BitSet();
    private DeviceController controller;
    private Interrupts interrupts;
    private boolean breaks;
    private long negotiating;
    private BalloonRequest statistics;

    // What a test may turn.
    int queueSizeMax = 128;
    int missingQueue = -1;
    boolean refusesFeatures;
    QueueNumbering numbering = QueueNumbering.NEGOTIATED;
    boolean keepsActualOverReset;

    // What a test may look at.
    long features;
    int resets;
    boolean live;

    ScriptedBalloon(GuestRam ram) {
        this(ram, OFFER, BalloonConfigLayout.LENGTH);
    }

    ScriptedBalloon(GuestRam ram, long offered, int configBytes) {
        this.ram = ram;
        this.offered = offered;
        long writable = 1L << (BalloonConfigLayout.ACTUAL_OFFSET / Integer.BYTES);
        if (configBytes > BalloonConfigLayout.POISON_VAL_OFFSET) {
            writable |= 1L << (BalloonConfigLayout.POISON_VAL_OFFSET / Integer.BYTES);
        }
        this.config = new ConfigSpace(configBytes, writable);
    }

    // what a test tells it

    /** The host wants so many pages; an unsigned 32-bit number. */
    void target(long pages) {
        targetSilently(pages);
        controller.configChanged();
    }

    /** The same, but the interrupt is lost. */
    void targetSilently(long pages) {
        config.set(BalloonConfigLayout.NUM_PAGES_OFFSET, (int) pages);
    }

    /** The host says this in the field for hints; the configuration changes. */
    void hintCommand(int id) {
        hintCommandSilently(id);
        controller.configChanged();
    }

    /** The same without an interrupt, as QEMU does when a round begins. */
    void hintCommandSilently(int id) {
        config.set(BalloonConfigLayout.FREE_PAGE_HINT_CMD_ID_OFFSET, id);
    }

    /** Returns the statistics buffer, which asks for newer values; what was in it. */
    BalloonRequest returnStatistics() {
        BalloonRequest returned = statistics;
        statistics = null;
        rings[STATS].complete(returned.head(), 0);
        publish();
        return returned;
    }

    /** Confirms these requests in this order, and publishes once for each queue. */
    void confirm(List<BalloonRequest> requests) {
        for (BalloonRequest request : requests) {
            assertTrue(waiting.remove(request), "not waiting: head=" + request.head());
            rings[request.queue()].complete(request.head(), 0);
            for (int pfn : request.pfns()) {
                if (request.queue() != HINT) {
                    held.set(pfn, request.queue() == INFLATE);
                    confirmed.set(pfn, request.queue() == INFLATE);
                    deflating.clear(pfn);
                }
            }
        }
        publish();
    }

    private void publish() {
        for (int queue = 0; queue < rings.length; queue++) {
            if (rings[queue] != null && rings[queue].publish()) {
                interrupts.usedBuffer(indexOf(queue));
            }
        }
    }

    void confirm(BalloonRequest request) {
        confirm(List.of(request));
    }

    void confirmAll() {
        confirm(waiting());
    }

    /** Asks for a reset: DEVICE_NEEDS_RESET and a configuration interrupt. */
    void needReset() {
        breaks = true;
        controller.notifyQueue(INFLATE);
        controller.poll(0);
    }

    /** A queue's ring, to be written by hand. */
    RingBytes ring(int queue) {
        QueueAddresses at = places[queue];
        return new RingBytes(
                ram, at.size(), at.descriptorTable(), at.availableRing(), at.usedRing());
    }

    // what a test asks it

    /** Requests that are not confirmed yet, oldest first. */
    List<BalloonRequest> waiting() {
        return List.copyOf(waiting);
    }

    List<BalloonRequest> waiting(int queue) {
        return waiting.stream().filter(request -> request.queue() == queue).toList();
    }

    /** All requests since the last reset, confirmed or not. */
    List<BalloonRequest> log(int queue) {
        return log.stream().filter(request -> request.queue() == queue).toList();
    }

    /** All page numbers of a queue's requests since the last reset, in their order. */
    int[] pfns(int queue) {
        return log(queue).stream().flatMapToInt(r -> Arrays.stream(r.pfns())).toArray();
    }

    /** Pages in the balloon by confirmed requests; those of an unconfirmed deflate count. */
    int confirmedPages() {
        return confirmed.cardinality();
    }

    /** How many pages {@link #holds} is true for. */
    int heldPages() {
        return held.cardinality();
    }

    /** Whether the device may change this page: named for inflate, and not confirmed deflated. */
    boolean holds(int pfn) {
        return held.get(pfn);
    }

    /** Whether a live device still reads rings or requests in this page. */
    boolean reads(long gpa, long end) {
        boolean rings = false;
        for (QueueAddresses at : places) {
            rings |= live && at != null && at.descriptorTable() < end && gpa <= at.usedRing();
        }
        return rings
                || waiting.stream()
                        .filter(request -> !request.isWritable())
                        .anyMatch(r -> r.gpa() < end && gpa <= r.gpa());
    }

    /** The statistics buffer that the device has, or null. */
    BalloonRequest statistics() {
        return statistics;
    }

    int poison() {
        return config.get(BalloonConfigLayout.POISON_VAL_OFFSET);
    }

    long actual() {
        return Integer.toUnsignedLong(config.get(BalloonConfigLayout.ACTUAL_OFFSET));
    }

    QueueAddresses place(int queue) {
        return places[queue];
    }

    // the device

    @Override
    public int deviceId() {
        return DeviceType.BALLOON;
    }

    @Override
    public long offeredFeatures() {
        return offered;
    }

    @Override
    public boolean accepts(long features) {
        return !refusesFeatures;
    }

    @Override
    public int queueCount() {
        return QUEUES.length;
    }

    @Override
    public int queueSizeMax(int index, long features) {
        negotiating = features;
        int queue = queueOf(index);
        return queue < 0 || queue == missingQueue ? 0 : queueSizeMax;
    }

    /** The device's number of a queue under the features that were last negotiated. */
    private int indexOf(int queue) {
        return numbering.indexOf(QUEUES[queue], offered, negotiating);
    }

    private int queueOf(int index) {
        for (int queue = 0; queue < QUEUES.length; queue++) {
            if (indexOf(queue) == index) {
                return queue;
            }
        }
        return -1;
    }

    @Override
    public void attached(DeviceController controller) {
        this.controller = controller;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public void activate(long features) {
        this.features = features;
        live = true;
    }

    @Override
    public void queueEnabled(int index, QueueAddresses addresses) {
        places[queueOf(index)] = addresses;
    }

    @Override
    public void queueDisabled(int index) {
        places[queueOf(index)] = null;
        rings[queueOf(index)] = null;
    }

    @Override
    public int service(int index, DeviceQueue ring, Interrupts interrupts) {
        int queue = queueOf(index);
        rings[queue] = ring;
        this.interrupts = interrupts;
        if (breaks) {
            breaks = false;
            return FAULT;
        }
        do {
            while (ring.poll() == DeviceQueue.CHAIN) {
                take(queue, ring.chain());
            }
        } while (ring.armAndRecheck());
        return IDLE;
    }

    private void take(int queue, ChainCursor chain) {
        long[] gpas = new long[MAX_ELEMENTS];
        long[] lengths = new long[MAX_ELEMENTS];
        int elements = 0;
        boolean isWritable = false;
        while (chain.next() == ChainCursor.ELEMENT) {
            assertTrue(elements == 0 || isWritable == chain.isWritable(), "all one way");
            isWritable = chain.isWritable();
            gpas[elements] = chain.gpa();
            lengths[elements] = chain.length();
            elements++;
        }
        assertEquals(queue == REPORTING || (queue == HINT && isWritable), isWritable, "writable");
        assertTrue(elements == 1 || (elements > 1 && queue == REPORTING), "elements");
        byte[] content = isWritable ? new byte[0] : ram.bytes(gpas[0], (int) lengths[0]);
        BalloonRequest request =
                new BalloonRequest(
                        queue,
                        chain.head(),
                        isWritable,
                        Arrays.copyOf(gpas, elements),
                        Arrays.copyOf(lengths, elements),
                        content);
        for (int pfn : request.pfns()) {
            book(queue, pfn);
        }
        log.add(request);
        if (queue == STATS) {
            assertNull(statistics, "one statistics buffer");
            statistics = request;
        } else {
            waiting.add(request);
        }
    }

    private void book(int queue, int pfn) {
        assertTrue(ram.memory().contains((long) pfn << 12, 4096), () -> "page is RAM: pfn=" + pfn);
        if (queue != DEFLATE) {
            assertFalse(held.get(pfn), () -> "page is the guest's: pfn=" + pfn);
            // The guest may use a hinted page at any time.
            held.set(pfn, queue != HINT);
        } else {
            assertTrue(confirmed.get(pfn), () -> "page was confirmed to be in: pfn=" + pfn);
            assertFalse(deflating.get(pfn), () -> "page is deflated once: pfn=" + pfn);
            deflating.set(pfn);
        }
    }

    @Override
    public void configWritten() {}

    @Override
    public void reset() {
        resets++;
        live = false;
        features = 0;
        breaks = false;
        Arrays.fill(places, null);
        Arrays.fill(rings, null);
        statistics = null;
        log.clear();
        waiting.clear();
        held.clear();
        confirmed.clear();
        deflating.clear();
        if (!keepsActualOverReset) {
            config.set(BalloonConfigLayout.ACTUAL_OFFSET, 0);
        }
    }
}
