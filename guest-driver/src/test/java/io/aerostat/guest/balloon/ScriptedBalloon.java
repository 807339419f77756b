package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

    static final long OFFER = Feature.VERSION_1 | Feature.EVENT_IDX | BalloonFeature.MUST_TELL_HOST;

    /** What the driver asked for in one buffer. Each is only equal to itself. */
    static final class Request {
        private final int queue;
        private final int head;
        private final long gpa;
        private final int[] pfns;

        private Request(int queue, int head, long gpa, int[] pfns) {
            this.queue = queue;
            this.head = head;
            this.gpa = gpa;
            this.pfns = pfns;
        }

        int queue() {
            return queue;
        }

        int head() {
            return head;
        }

        long gpa() {
            return gpa;
        }

        int[] pfns() {
            return pfns.clone();
        }

        int pages() {
            return pfns.length;
        }
    }

    private final GuestRam ram;
    private final long offered;
    private final ConfigSpace config;
    private final DeviceQueue[] rings = new DeviceQueue[2];
    private final QueueAddresses[] places = new QueueAddresses[2];
    private final List<Request> log = new ArrayList<>();
    private final List<Request> waiting = new ArrayList<>();
    private final BitSet held = new BitSet();
    private final BitSet confirmed = new BitSet();
    private final BitSet deflating = new BitSet();
    private DeviceController controller;
    private Interrupts interrupts;
    private boolean breaks;

    // What a test may turn.
    int queueSizeMax = 128;
    int missingQueue = -1;
    boolean refusesFeatures;
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
        this.config =
                new ConfigSpace(
                        configBytes, 1L << (BalloonConfigLayout.ACTUAL_OFFSET / Integer.BYTES));
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

    /** Confirms these requests in this order, and publishes once for each queue. */
    void confirm(List<Request> requests) {
        for (Request request : requests) {
            assertTrue(waiting.remove(request), "not waiting: head=" + request.head());
            rings[request.queue()].complete(request.head(), 0);
            for (int pfn : request.pfns()) {
                confirmed.set(pfn, request.queue() == INFLATE);
                held.set(pfn, request.queue() == INFLATE);
                deflating.clear(pfn);
            }
        }
        for (int queue = 0; queue < rings.length; queue++) {
            if (rings[queue] != null && rings[queue].publish()) {
                interrupts.usedBuffer(queue);
            }
        }
    }

    void confirm(Request request) {
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
    List<Request> waiting() {
        return List.copyOf(waiting);
    }

    List<Request> waiting(int queue) {
        return waiting.stream().filter(request -> request.queue() == queue).toList();
    }

    /** All requests since the last reset, confirmed or not. */
    List<Request> log(int queue) {
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
        return rings || waiting.stream().anyMatch(r -> r.gpa() < end && gpa <= r.gpa());
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
        return 5;
    }

    @Override
    public int queueSizeMax(int queue, long features) {
        return queue > DEFLATE || queue == missingQueue ? 0 : queueSizeMax;
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
    public void queueEnabled(int queue, QueueAddresses addresses) {
        places[queue] = addresses;
    }

    @Override
    public void queueDisabled(int queue) {
        places[queue] = null;
        rings[queue] = null;
    }

    @Override
    public int service(int queue, DeviceQueue ring, Interrupts interrupts) {
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
        assertEquals(ChainCursor.ELEMENT, chain.next(), "a request has an element");
        assertFalse(chain.isWritable(), "the device only reads a request");
        assertEquals(0, chain.length() % Integer.BYTES, "page numbers are whole");
        int[] pfns = new int[(int) chain.length() / Integer.BYTES];
        for (int i = 0; i < pfns.length; i++) {
            pfns[i] = ram.le32(chain.gpa() + 4L * i);
            book(queue, pfns[i]);
        }
        Request request = new Request(queue, chain.head(), chain.gpa(), pfns);
        assertEquals(ChainCursor.END, chain.next(), "a request has one element");
        log.add(request);
        waiting.add(request);
    }

    private void book(int queue, int pfn) {
        assertTrue(ram.memory().contains((long) pfn << 12, 4096), () -> "page is RAM: pfn=" + pfn);
        if (queue == INFLATE) {
            assertFalse(held.get(pfn), () -> "page is inflated once: pfn=" + pfn);
            held.set(pfn);
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
        queueDisabled(INFLATE);
        queueDisabled(DEFLATE);
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
