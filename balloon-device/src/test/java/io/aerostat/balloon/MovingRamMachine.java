package io.aerostat.balloon;

import io.aerostat.balloon.reclaim.PagedReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.DriverQueue;
import io.aerostat.virtio.queue.IndirectTables;
import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.BalloonQueue;
import io.aerostat.virtio.testkit.OwnerThread;
import io.aerostat.virtio.testkit.Spin;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.jspecify.annotations.Nullable;

import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A machine on {@link MovableRam} with a driver of one request at a time, which an event may hit.
 *
 * <pre>
 *   page of a place   0, 63               1 .. 5   8 .. 12           16 .. 19   24 .. 62
 *                     spanned by requests rings    indirect tables   requests   data
 * </pre>
 */
final class MovingRamMachine implements AutoCloseable {
    private static final int QUEUE_SIZE = 8;
    private static final int RING_PAGE = 1;
    private static final int INDIRECT_PAGE = 8;
    private static final int REQUEST_PAGE = 16;
    private static final int DATA_PAGE = 24;
    private static final int DATA_PAGES = MovableRam.PLACE_PAGES - DATA_PAGE;
    private static final int PAGE = MovableRam.PAGE;
    private static final int BALLOON_ID = 5;
    private static final int NEEDS_RESET = 0x40;
    private static final long FEATURES = Feature.VERSION_1 | BalloonOptions.ALL_FEATURES;
    private static final BalloonQueue[] QUEUES = BalloonQueue.values();

    final Random random;
    final MovableRam ram;
    BalloonDevice device;

    private final Ownership ownership;
    private final DriverQueue[] drivers = new DriverQueue[QUEUES.length];
    private final AtomicBoolean rung = new AtomicBoolean();
    private MmioDevice mmio;
    private MmioTransport transport;
    private @Nullable OwnerThread owner;
    private long features;

    /** Bit p: of place p, as {@link #begin} and {@link #bringUp} leave it. */
    private int ringPlaces;

    private int statsPlaces;
    private int requestPlaces;
    private int changedPlaces;
    private int detachedPlaces;
    private BalloonQueue queue = BalloonQueue.INFLATE;
    private Set<Long> named = Set.of();

    MovingRamMachine(Ownership ownership, long seed) {
        this.ownership = ownership;
        this.random = new Random(seed);
        this.ram = new MovableRam(random);
        make();
        bringUp();
    }

    private void make() {
        BalloonOptions options =
                BalloonOptions.DEFAULT
                        .withFeatures(BalloonOptions.ALL_FEATURES)
                        .withQueueSize(QUEUE_SIZE)
                        .withWorkBudget(1 + random.nextInt(40));
        device = new BalloonDevice(ram.memory, new PagedReclaimer(ram.memory), options);
        OwnerThread thread = ownership == Ownership.OWN_THREAD ? new OwnerThread() : null;
        mmio =
                new MmioDevice(
                        ram.memory,
                        device,
                        level -> {},
                        ownership,
                        () -> {
                            rung.set(true);
                            if (thread != null) {
                                thread.ring();
                            }
                        });
        transport = new MmioTransport(mmio);
        if (thread != null) {
            thread.start(mmio.controller());
        }
        owner = thread;
    }

    @Override
    public void close() {
        if (owner != null) {
            owner.close();
        }
    }

    // the driver

    /** From reset to DRIVER_OK, with rings somewhere in what RAM there is. */
    void bringUp() {
        for (int place = 0; place < MovableRam.PLACES; place++) {
            if (!ram.isAttached(place) && random.nextBoolean()) {
                mmio.attach(ram.renew(place));
            }
        }
        if (attachedPlaces() == 0) {
            mmio.attach(ram.renew(0));
        }
        DriverHandshake handshake = new DriverHandshake(transport);
        long wanted = FEATURES;
        wanted |= random.nextBoolean() ? Feature.EVENT_IDX : 0;
        wanted |= random.nextBoolean() ? Feature.INDIRECT_DESC : 0;
        wanted &= random.nextBoolean() ? -1L : ~BalloonFeature.MUST_TELL_HOST;
        require(handshake.negotiate(BALLOON_ID, wanted, 0) == null);
        features = handshake.features();
        ringPlaces = 0;
        statsPlaces = 0;
        for (BalloonQueue each : QUEUES) {
            int which = each.ordinal();
            long base = MovableRam.gpa(anyAttached());
            ringPlaces |= placesOf(base, 1);
            QueueAddresses at =
                    QueueAddresses.inBlock(QUEUE_SIZE, base + (RING_PAGE + (long) which) * PAGE);
            long tables = base + (INDIRECT_PAGE + (long) which) * PAGE;
            IndirectTables indirect =
                    (features & Feature.INDIRECT_DESC) == 0
                            ? null
                            : new IndirectTables(ram.memory, tables, QUEUE_SIZE, 4);
            drivers[which] = new DriverQueue(ram.memory, at, features, indirect);
            require(handshake.enableQueue(indexOf(each), at) == null);
        }
        require(handshake.finish() == null);
        begin();
    }

    private static void require(boolean condition) {
        if (!condition) {
            throw new AssertionError("the handshake failed");
        }
    }

    private int indexOf(BalloonQueue which) {
        return BalloonOptions.DEFAULT
                .numbering()
                .indexOf(which, device.offeredFeatures(), features);
    }

    private int anyAttached() {
        int place = random.nextInt(MovableRam.PLACES);
        while (!ram.isAttached(place)) {
            place = (place + 1) % MovableRam.PLACES;
        }
        return place;
    }

    private int attachedPlaces() {
        int places = 0;
        for (int place = 0; place < MovableRam.PLACES; place++) {
            places |= ram.isAttached(place) ? 1 << place : 0;
        }
        return places;
    }

    private static int placesOf(long gpa, long bytes) {
        return 1 << MovableRam.placeOf(gpa) | 1 << MovableRam.placeOf(gpa + bytes - 1);
    }

    /** A new step: nothing has changed yet. */
    void begin() {
        requestPlaces = 0;
        changedPlaces = 0;
        detachedPlaces = 0;
        named = Set.of();
    }

    /** Offers one request of any queue and kicks. */
    void request() {
        queue = QUEUES[random.nextInt(QUEUES.length)];
        switch (queue) {
            case INFLATE, DEFLATE -> pages();
            case STATS -> statistics();
            case FREE_PAGE_HINT, REPORTING -> freePages();
        }
        transport.kick(indexOf(queue));
    }

    private DriverQueue driver() {
        return drivers[queue.ordinal()];
    }

    private void offer(long[] gpas, long[] lengths, int readable, int writable) {
        require(driver().add(gpas, lengths, readable, writable) >= 0);
        driver().publish();
        for (int i = 0; i < gpas.length; i++) {
            requestPlaces |= placesOf(gpas[i], lengths[i]);
        }
    }

    private void pages() {
        int count = 1 + random.nextInt(60);
        int place = anyAttached();
        long gpa = MovableRam.gpa(place) + (long) REQUEST_PAGE * PAGE;
        if (place < 2 && ram.isAttached(place + 1) && random.nextInt(3) == 0) {
            // Half of the element in this place, half in the next.
            gpa = MovableRam.gpa(place + 1) - 4L * (count / 2);
        }
        named = new TreeSet<>();
        RamAccess window = RamAccess.of(ram.memory, gpa, 4L * count);
        for (int i = 0; i < count; i++) {
            long pfn = MovableRam.gpa(random.nextInt(MovableRam.PLACES)) / PAGE;
            pfn += DATA_PAGE + random.nextInt(DATA_PAGES - 1);
            named.add(pfn);
            window.putInt(4L * i, (int) pfn);
        }
        long cut = 1L + random.nextInt(4 * count - 1);
        offer(new long[] {gpa, gpa + cut}, new long[] {cut, 4L * count - cut}, 2, 0);
    }

    private void statistics() {
        if (driver().inFlight() > 0) {
            device.statistics().request();
            return;
        }
        long gpa = MovableRam.gpa(anyAttached()) + (REQUEST_PAGE + 1L) * PAGE;
        offer(new long[] {gpa}, new long[] {20}, 1, 0);
        statsPlaces = placesOf(gpa, 20);
    }

    private void freePages() {
        long gpa = MovableRam.gpa(anyAttached());
        long first = gpa + (long) DATA_PAGE * PAGE;
        int pages = 1 + random.nextInt(DATA_PAGES - 1);
        long command = gpa + (REQUEST_PAGE + 2L) * PAGE;
        RamAccess.of(ram.memory, command, 4).putInt(0, (int) mmio.load(0x108, 4));
        boolean hint = queue == BalloonQueue.FREE_PAGE_HINT;
        long[] gpas = hint ? new long[] {command, first} : new long[] {first, first};
        long[] lengths = {hint ? 4 : PAGE, (long) pages * PAGE};
        offer(gpas, lengths, hint ? 1 : 0, hint ? 1 : 2);
    }

    // what happens meanwhile

    void event() throws SnapshotException {
        int place = random.nextInt(MovableRam.PLACES);
        switch (random.nextInt(12)) {
            case 0, 1 -> pollOnce();
            case 2, 3 -> comeOrGo(place);
            case 4, 5, 6 -> move(place);
            case 7 -> mmio.restore(mmio.save());
            case 8 -> succeed();
            case 9 -> device.target(random.nextInt(DATA_PAGES));
            case 10 -> device.hinting().start();
            default -> drainAWhile(place);
        }
    }

    private void comeOrGo(int place) {
        changedPlaces |= 1 << place;
        if (ram.isAttached(place)) {
            detachedPlaces |= 1 << place;
            mmio.detach(ram.region(place));
            ram.wasDetached(place);
        } else {
            RamRegion fresh = ram.renew(place);
            mmio.attach(fresh);
        }
    }

    private void move(int place) {
        if (ram.isAttached(place)) {
            Runnable[] moved = new Runnable[1];
            mmio.controller().betweenPasses(() -> moved[0] = ram.move(place));
            moved[0].run();
        }
    }

    private void drainAWhile(int place) throws SnapshotException {
        mmio.controller().drain();
        move(place);
        mmio.restore(mmio.save());
        mmio.controller().resume();
    }

    /** Another device goes on from what this one saved. */
    private void succeed() throws SnapshotException {
        byte[] state = mmio.save();
        close();
        make();
        mmio.restore(state);
    }

    // coming to rest

    private void pollOnce() {
        if (ownership == Ownership.REGISTER_THREAD) {
            mmio.poll(0);
        } else if (ownership == Ownership.NOTIFY_DRIVEN && rung.getAndSet(false)) {
            rung.set(mmio.poll(0) != 0);
        }
    }

    /** Until all is done: polls when rung for, and waits for an owner that polls by itself. */
    void finish() {
        switch (ownership) {
            case REGISTER_THREAD -> pollUntilIdle();
            case NOTIFY_DRIVEN -> {
                while (rung.getAndSet(false)) {
                    pollUntilIdle();
                }
            }
            case OWN_THREAD -> Spin.until(() -> needsReset() || reapAll() == 0);
        }
        if (!needsReset()) {
            reapAll();
        }
    }

    private void pollUntilIdle() {
        for (int polls = 0; mmio.poll(0) != 0; polls++) {
            require(polls < 100_000);
        }
    }

    /** Takes back what was used, and answers how many requests are in work still. */
    private int reapAll() {
        for (DriverQueue driver : drivers) {
            while (driver.poll() >= 0) {
                transport.acknowledge(1);
            }
        }
        return unreturned();
    }

    /** Requests that are in work; the device may hold statistics. */
    int unreturned() {
        int count = 0;
        for (BalloonQueue each : QUEUES) {
            int held = each == BalloonQueue.STATS ? 1 : 0;
            count += Math.max(0, drivers[each.ordinal()].inFlight() - held);
        }
        return count;
    }

    // what is to be

    boolean needsReset() {
        return (transport.status() & NEEDS_RESET) != 0;
    }

    /** A ring was in RAM that went. */
    boolean mustFail() {
        return (ringPlaces & detachedPlaces) != 0;
    }

    boolean mayFail() {
        return ((ringPlaces | statsPlaces | requestPlaces) & detachedPlaces) != 0;
    }

    @Nullable QueueFault driverFault() {
        for (DriverQueue driver : drivers) {
            if (driver.fault() != null) {
                return driver.fault();
            }
        }
        return null;
    }

    /** Nobody can tell from outside whether the request was read before its bytes changed. */
    boolean isUnknown(long pfn) {
        return (requestPlaces & changedPlaces) != 0 || isInChangedPlace(pfn);
    }

    private boolean isInChangedPlace(long pfn) {
        return (changedPlaces >>> MovableRam.placeOf(pfn * PAGE) & 1) != 0;
    }

    /** Does to a model what the request of this step does to the balloon. */
    void expect(Set<Long> model) {
        switch (queue) {
            case INFLATE ->
                    named.stream()
                            .filter(pfn -> ram.isAttached(MovableRam.placeOf(pfn * PAGE)))
                            .forEach(model::add);
            case DEFLATE -> model.removeAll(named);
            case STATS, FREE_PAGE_HINT, REPORTING -> {}
        }
    }

    /** What is in the balloon. */
    Set<Long> ledger() {
        Set<Long> pfns = new TreeSet<>();
        mmio.controller()
                .betweenPasses(
                        () ->
                                device.ballooned()
                                        .forEachRange(
                                                (pfn, pages) -> {
                                                    for (long i = 0; i < pages; i++) {
                                                        pfns.add(pfn + i);
                                                    }
                                                }));
        return pfns;
    }
}
