package io.aerostat.guest.balloon;

import io.aerostat.guest.page.PageAllocator;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.driver.DriverTransport;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.spec.DeviceStatus;
import io.aerostat.virtio.spec.DeviceType;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.InterruptStatus;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;

import org.jspecify.annotations.Nullable;

/**
 * Moves pages between the guest and its balloon until there are as many in it as the host asks for.
 *
 * <pre>
 *            allocate           confirmed           take lowest           confirmed
 *   allocator ─────▶ inflating ─────▶ ballooned ─────▶ deflating ─────▶ allocator
 *                        │                │                │
 *                        └────────────────┴── reset ───────┴──────────▶ allocator
 *   actual = ballooned + deflating
 * </pre>
 *
 * <p>Invariants: a page is not used from the moment it is named in an inflate request until the
 * device has confirmed its deflate request, whether MUST_TELL_HOST was negotiated or not; a page is
 * not deflated before its inflate request is confirmed (VIRTIO 1.4, 5.5.6.1).
 *
 * <p>When the allocator has no more pages, the driver tries again after a delay, for ever. When the
 * device asks for a reset, or breaks a ring, the driver resets it, takes all pages back (the device
 * has let go of them) and starts again.
 *
 * <p>One thread's: the guest's, which calls {@link #doWork} when the device interrupts and from
 * time to time. Between two starts no Java memory is allocated.
 */
public final class BalloonDriver {
    /** What a driver is at. */
    public enum State {
        /** Not started, or removed. */
        DOWN,
        /** Following the target. */
        RUNNING,
        /** Giving all pages back, on its way down. */
        REMOVING,
        /** The device was lost; it is brought up again after the retry delay. */
        RESTARTING
    }

    private static final long KNOWN =
            Feature.VERSION_1
                    | Feature.INDIRECT_DESC
                    | Feature.EVENT_IDX
                    | BalloonFeature.MUST_TELL_HOST;

    private static final long UNKNOWN = -1;

    private final PageAllocator pages;
    private final DriverTransport transport;
    private final BalloonDriverOptions options;
    private final DriverHandshake handshake;
    private final BalloonQueues queues;
    private final BalloonedPages ballooned;

    private State state = State.DOWN;
    private long target;
    private long inflating;
    private long deflating;
    private long writtenActual;
    private long retryAtNs;
    private boolean outOfPages;
    private boolean deviceLost;
    private long restarts;

    /**
     * A driver that is down.
     *
     * @param memory the guest's RAM
     * @param pages where pages come from, for the balloon and for the driver's own rings and
     *     buffers
     * @param transport the way to the device
     * @param options how to work
     */
    public BalloonDriver(
            GuestMemory memory,
            PageAllocator pages,
            DriverTransport transport,
            BalloonDriverOptions options) {
        long end = memory.region(memory.regionCount() - 1).end();
        this.pages = pages;
        this.transport = transport;
        this.options = options;
        this.handshake = new DriverHandshake(transport);
        this.queues = new BalloonQueues(memory, pages, transport, options);
        this.ballooned = new BalloonedPages(Math.toIntExact(end >>> PageFrame.SHIFT));
    }

    // up and down

    /**
     * Brings the device up. The driver must be down.
     *
     * @return null, or why it failed; the driver is down then
     */
    public @Nullable HandshakeFailure start() {
        if (state != State.DOWN) {
            throw new IllegalStateException("the driver is not down: state=" + state);
        }
        HandshakeFailure failure = bringUp();
        state = failure == null ? State.RUNNING : State.DOWN;
        return failure;
    }

    /**
     * Gives all pages back through the deflate queue, then lets go of the device: {@link #doWork}
     * until the state is DOWN.
     */
    public void remove() {
        switch (state) {
            case RUNNING -> state = State.REMOVING;
            case RESTARTING -> state = State.DOWN;
            case REMOVING, DOWN -> {}
        }
    }

    private @Nullable HandshakeFailure bringUp() {
        HandshakeFailure failure =
                handshake.negotiate(DeviceType.BALLOON, KNOWN, Feature.VERSION_1);
        if (failure == null) {
            failure = queues.open(handshake);
        }
        if (failure == null) {
            failure = handshake.finish();
        }
        if (failure == null) {
            outOfPages = false;
            // The device may still show the balloon of before a reset.
            writtenActual = UNKNOWN;
            readTarget();
        } else {
            letGo();
        }
        return failure;
    }

    /** Resets the device, which returns all pages to the guest, and takes them back. */
    private void letGo() {
        // The device may know our memory: only a reset makes it forget (3.3.1).
        if (queues.pinnedPages() > 0) {
            transport.reset();
        }
        while (ballooned.count() > 0) {
            pages.free(ballooned.takeLowest(), 0);
        }
        if (queues.isOpen()) {
            freeInFlight(queues.inflate());
            freeInFlight(queues.deflate());
        }
        inflating = 0;
        deflating = 0;
        outOfPages = false;
        queues.close();
    }

    private void freeInFlight(PageRequests requests) {
        for (int request = 0; request < requests.requests(); request++) {
            freePages(requests, request);
        }
    }

    private void freePages(PageRequests requests, int request) {
        int[] pfns = requests.pfns(request);
        for (int i = 0; i < requests.pages(request); i++) {
            pages.free(pfns[i], 0);
        }
    }

    // the step

    /**
     * Does what there is to do: confirmed requests, a new target, new requests. Bounded by the
     * requests in flight.
     *
     * @param nowNs the guest's clock in nanoseconds, from any origin
     * @return 0 if nothing was done
     */
    public int doWork(long nowNs) {
        return switch (state) {
            case DOWN -> 0;
            case RESTARTING -> restart(nowNs);
            case RUNNING, REMOVING -> serve(nowNs);
        };
    }

    private int serve(long nowNs) {
        int causes = transport.interruptCauses();
        int work = handle(causes);
        if (causes != 0) {
            transport.acknowledge(causes);
            // An event between handling and acknowledging has left no bit: look again.
            work += 1 + handle(causes);
        }
        if (deviceLost) {
            return loseDevice(nowNs);
        }
        writeActual();
        long wanted = state == State.REMOVING ? 0 : target;
        long committed = ballooned.count() + inflating;
        if (committed < wanted) {
            work += inflate(wanted - committed, nowNs);
        } else if (committed > wanted) {
            work += deflate(Math.min(ballooned.count(), committed - wanted));
        }
        if (state == State.REMOVING && inPossession() == 0) {
            letGo();
            state = State.DOWN;
            work++;
        }
        return work;
    }

    private int handle(int causes) {
        if ((causes & InterruptStatus.CONFIG_CHANGE_FLAG) != 0) {
            deviceLost |= (transport.status() & DeviceStatus.DEVICE_NEEDS_RESET_FLAG) != 0;
            readTarget();
        }
        return reapInflated() + reapDeflated();
    }

    private void readTarget() {
        target = Integer.toUnsignedLong(transport.readConfig(BalloonConfigLayout.NUM_PAGES_OFFSET));
    }

    private void writeActual() {
        long actual = balloonedPages();
        if (actual != writtenActual) {
            transport.writeConfig(BalloonConfigLayout.ACTUAL_OFFSET, (int) actual);
            writtenActual = actual;
        }
    }

    private int loseDevice(long nowNs) {
        deviceLost = false;
        letGo();
        restarts++;
        state = state == State.REMOVING ? State.DOWN : State.RESTARTING;
        retryAtNs = nowNs + options.retryDelayNs();
        return 1;
    }

    private int restart(long nowNs) {
        if (nowNs - retryAtNs < 0) {
            return 0;
        }
        if (bringUp() == null) {
            state = State.RUNNING;
        } else {
            retryAtNs = nowNs + options.retryDelayNs();
        }
        return 1;
    }

    // inflate

    private int inflate(long wanted, long nowNs) {
        if (outOfPages && nowNs - retryAtNs < 0) {
            return 0;
        }
        outOfPages = false;
        PageRequests requests = queues.inflate();
        long left = wanted;
        int submitted = 0;
        while (left > 0 && !outOfPages) {
            int request = requests.begin();
            if (request == PageRequests.NONE) {
                break;
            }
            int limit = (int) Math.min(left, options.pagesPerRequest());
            int count = pinPages(requests.pfns(request), limit);
            if (count == 0) {
                requests.end(request);
            } else {
                requests.submit(request, count);
                inflating += count;
                left -= count;
                submitted++;
            }
            if (count < limit) {
                outOfPages = true;
                retryAtNs = nowNs + options.retryDelayNs();
            }
        }
        requests.publish();
        return submitted;
    }

    /**
     * Takes pages from the allocator, the largest blocks first: what lies together is given back
     * together.
     */
    private int pinPages(int[] pfns, int limit) {
        int count = 0;
        while (count < limit) {
            int fitting = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(limit - count);
            int order = Math.min(fitting, pages.largestFreeOrder());
            int pfn = order == PageAllocator.NONE ? PageAllocator.NONE : pages.allocate(order);
            if (pfn == PageAllocator.NONE) {
                break;
            }
            for (int i = 0; i < 1 << order; i++) {
                pfns[count++] = pfn + i;
            }
        }
        return count;
    }

    private int reapInflated() {
        PageRequests requests = queues.inflate();
        int reaped = 0;
        do {
            int request = requests.reap();
            while (request >= 0) {
                int[] pfns = requests.pfns(request);
                int count = requests.pages(request);
                for (int i = 0; i < count; i++) {
                    ballooned.add(pfns[i]);
                }
                inflating -= count;
                requests.end(request);
                reaped++;
                request = requests.reap();
            }
            deviceLost |= request == PageRequests.FAULT;
        } while (!deviceLost && requests.armAndRecheck());
        return reaped;
    }

    // deflate

    private int deflate(long wanted) {
        PageRequests requests = queues.deflate();
        long left = wanted;
        int submitted = 0;
        while (left > 0) {
            int request = requests.begin();
            if (request == PageRequests.NONE) {
                break;
            }
            int count = (int) Math.min(left, options.pagesPerRequest());
            int[] pfns = requests.pfns(request);
            for (int i = 0; i < count; i++) {
                pfns[i] = ballooned.takeLowest();
            }
            requests.submit(request, count);
            deflating += count;
            left -= count;
            submitted++;
        }
        requests.publish();
        return submitted;
    }

    private int reapDeflated() {
        PageRequests requests = queues.deflate();
        int reaped = 0;
        do {
            int request = requests.reap();
            while (request >= 0) {
                freePages(requests, request);
                deflating -= requests.pages(request);
                requests.end(request);
                reaped++;
                request = requests.reap();
            }
            deviceLost |= request == PageRequests.FAULT;
        } while (!deviceLost && requests.armAndRecheck());
        return reaped;
    }

    // what it is at

    /** What the driver is at. */
    public State state() {
        return state;
    }

    /** Pages that the host wants in the balloon, as last read. */
    public long targetPages() {
        return target;
    }

    /**
     * Pages that the device has, by its own word: in the balloon, and not confirmed to be out of
     * it.
     */
    public long balloonedPages() {
        return ballooned.count() + deflating;
    }

    /** Pages that the guest cannot use because of the balloon: those, and those on their way in. */
    public long inPossession() {
        return balloonedPages() + inflating;
    }

    /** Pages that the driver's own rings and buffers take. */
    public long pinnedPages() {
        return queues.pinnedPages();
    }

    /**
     * Tells whether the allocator had no more pages at the last attempt; there will be another
     * after the retry delay.
     */
    public boolean isOutOfPages() {
        return outOfPages;
    }

    /** How often the device was lost and reset since the driver was made. */
    public long restarts() {
        return restarts;
    }
}
