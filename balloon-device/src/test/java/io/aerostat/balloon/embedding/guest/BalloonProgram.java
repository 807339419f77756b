package io.aerostat.balloon.embedding.guest;

import io.aerostat.balloon.embedding.machine.Bus;
import io.aerostat.balloon.embedding.machine.Program;

/**
 * A guest whose only business is its balloon driver, see Linux's {@code virtio_balloon} and {@code
 * virtio_mmio}: one request in flight for each queue, at most 256 page numbers in it, {@code
 * actual} written after each, {@code num_pages} read again until it is reached.
 *
 * <pre>
 *   page of RAM   0           1          2 .. 6    8 .. 31          32 ..
 *                 variables   buffers    rings     table of pages   free pages
 * </pre>
 *
 * <p>It has no state in here: two programs on copies of the same RAM go on alike.
 */
public final class BalloonProgram implements Program {
    /** The most page numbers in a request. */
    public static final int PAGES_PER_REQUEST = 256;

    /** Bytes of the entries in a buffer of statistics: two. */
    public static final int STATISTICS_LENGTH = 20;

    private static final int INFLATE = 0;
    private static final int DEFLATE = 1;
    private static final int STATISTICS = 2;
    private static final int REPORTS = 4;
    private static final long[] FEATURE_OF_RING = {
        0, 0, VirtioMmio.STATS_VQ, VirtioMmio.FREE_PAGE_HINT, VirtioMmio.PAGE_REPORTING
    };

    // Variables.
    private static final int FEATURES = 0;
    private static final int WORK = 8;
    private static final int WAITING_FOR = 12;
    private static final int REQUESTED = 16;
    private static final int REQUESTS = 20;
    private static final int POOL = 24;
    private static final int RINGS = 64;

    // What is to do.
    private static final int LOOK_AT_TARGET = 1;
    private static final int LOOK_AT_STATISTICS = 1 << 1;
    private static final int LOOK_AT_REQUEST = 1 << 2;
    private static final int LOOK_AT_REPORT = 1 << 3;

    // What is waited for.
    private static final int NOTHING = 0;
    private static final int INFLATION = 1;
    private static final int DEFLATION = 2;

    private static final int NUM_PAGES = 0;
    private static final int ACTUAL = 4;

    private static final int FREE_MEMORY_TAG = 4;
    private static final int TOTAL_MEMORY_TAG = 5;

    private final Bus bus;
    private final GuestMap map;
    private final Habits habits;
    private final Registers registers;
    private final PagePool pool;
    private final Ring[] rings = new Ring[FEATURE_OF_RING.length];

    /** The program for a processor on {@code bus}. Touches nothing yet. */
    public BalloonProgram(Bus bus, GuestMap map, Habits habits) {
        this.bus = bus;
        this.map = map;
        this.habits = habits;
        this.registers = new Registers(bus, map.window(), habits.configWidth());
        this.pool = new PagePool(bus, map, map.variables() + POOL);
        for (int i = 0; i < rings.length; i++) {
            long page = map.rings() + (long) i * GuestMap.PAGE;
            long own = map.variables() + RINGS + (long) i * Ring.VARIABLES_LENGTH;
            rings[i] = new Ring(bus, registers, page, own);
        }
    }

    // start

    @Override
    public void boot() {
        pool.setUp();
        require("magic value", registers.read(VirtioMmio.MAGIC_VALUE), VirtioMmio.MAGIC);
        require("version", registers.read(VirtioMmio.VERSION), 2);
        require("device id", registers.read(VirtioMmio.DEVICE_ID), VirtioMmio.BALLOON_ID);
        registers.write(VirtioMmio.STATUS, 0);
        require("status after a reset", registers.read(VirtioMmio.STATUS), 0);
        addStatus(VirtioMmio.ACKNOWLEDGE);
        addStatus(VirtioMmio.DRIVER);
        long features = registers.deviceFeatures() & habits.features();
        registers.driverFeatures(features);
        addStatus(VirtioMmio.FEATURES_OK);
        int status = registers.read(VirtioMmio.STATUS);
        require("FEATURES_OK", status & VirtioMmio.FEATURES_OK, VirtioMmio.FEATURES_OK);
        bus.store(map.variables() + FEATURES, 8, features);
        set(WORK, LOOK_AT_TARGET);
        set(WAITING_FOR, NOTHING);
        set(REQUESTS, 0);
        int number = 0;
        for (int i = 0; i < rings.length; i++) {
            if (hasRing(i)) {
                rings[i].setUp(number++);
            }
        }
        if (hasRing(STATISTICS)) {
            // The device is not up yet, and told all the same.
            sendStatistics();
        }
        addStatus(VirtioMmio.DRIVER_OK);
    }

    private static void require(String what, int found, int wanted) {
        if (found != wanted) {
            throw new IllegalStateException(what + ": found=" + found + ", wanted=" + wanted);
        }
    }

    private void addStatus(int bit) {
        registers.write(VirtioMmio.STATUS, registers.read(VirtioMmio.STATUS) | bit);
    }

    private boolean hasRing(int ring) {
        return FEATURE_OF_RING[ring] == 0 || (features() & FEATURE_OF_RING[ring]) != 0;
    }

    // interrupts

    @Override
    public void interrupt(int source) {
        require("interrupt", source, map.source());
        int causes = registers.read(VirtioMmio.INTERRUPT_STATUS);
        registers.write(VirtioMmio.INTERRUPT_ACK, causes);
        if ((causes & VirtioMmio.CONFIG_CHANGE) != 0) {
            toDo(LOOK_AT_TARGET);
        }
        if ((causes & VirtioMmio.USED_BUFFER) != 0) {
            toDo(LOOK_AT_REQUEST | LOOK_AT_STATISTICS | LOOK_AT_REPORT);
        }
    }

    // work

    @Override
    public boolean step() {
        if (take(LOOK_AT_STATISTICS) && hasRing(STATISTICS)) {
            if (rings[STATISTICS].takeUsed()) {
                sendStatistics();
            }
            return true;
        }
        if (take(LOOK_AT_REPORT) && hasRing(REPORTS)) {
            rings[REPORTS].takeUsed();
            return true;
        }
        if (take(LOOK_AT_REQUEST)) {
            lookAtRequest();
            return true;
        }
        if (get(WAITING_FOR) == NOTHING && take(LOOK_AT_TARGET)) {
            lookAtTarget();
            return true;
        }
        return false;
    }

    private void lookAtTarget() {
        int wanted = registers.readConfig(NUM_PAGES) - pool.ballooned();
        if (wanted > 0) {
            int free = pool.total() - pool.ballooned();
            send(INFLATION, pool.ballooned(), Math.min(wanted, free));
        } else if (wanted < 0) {
            int pages = Math.min(-wanted, PAGES_PER_REQUEST);
            send(DEFLATION, pool.ballooned() - pages, pages);
        }
    }

    private void send(int kind, int first, int wanted) {
        int pages = Math.min(wanted, PAGES_PER_REQUEST);
        if (pages == 0) {
            return;
        }
        int which = kind == INFLATION ? INFLATE : DEFLATE;
        long buffer = map.buffers() + (long) which * PAGES_PER_REQUEST * 4;
        for (int i = 0; i < pages; i++) {
            int back = kind == INFLATION ? i : pages - 1 - i;
            bus.store(buffer + 4L * i, 4, pool.entry(first + back));
        }
        set(WAITING_FOR, kind);
        set(REQUESTED, pages);
        set(REQUESTS, get(REQUESTS) + 1);
        rings[which].addReadable(buffer, 4 * pages);
        rings[which].kick(hasEventIndex());
        // Whoever waits looks once before it sleeps.
        toDo(LOOK_AT_REQUEST);
    }

    private void lookAtRequest() {
        int kind = get(WAITING_FOR);
        if (kind == NOTHING || !rings[kind == INFLATION ? INFLATE : DEFLATE].takeUsed()) {
            return;
        }
        int pages = get(REQUESTED);
        pool.ballooned(pool.ballooned() + (kind == INFLATION ? pages : -pages));
        set(WAITING_FOR, NOTHING);
        registers.writeConfig(ACTUAL, pool.ballooned());
        toDo(LOOK_AT_TARGET);
    }

    private void sendStatistics() {
        long buffer = map.buffers() + 2L * PAGES_PER_REQUEST * 4;
        long totalBytes = (long) pool.total() * GuestMap.PAGE;
        // Pages that are on their way into the balloon are free no longer.
        int leaving = get(WAITING_FOR) == INFLATION ? get(REQUESTED) : 0;
        long takenBytes = (long) (pool.ballooned() + leaving) * GuestMap.PAGE;
        statistic(buffer, FREE_MEMORY_TAG, totalBytes - takenBytes);
        statistic(buffer + STATISTICS_LENGTH / 2, TOTAL_MEMORY_TAG, totalBytes);
        rings[STATISTICS].addReadable(buffer, STATISTICS_LENGTH);
        rings[STATISTICS].kick(hasEventIndex());
    }

    // Entries are packed: values lie where they fall.
    private void statistic(long at, int tag, long value) {
        bus.store(at, 2, tag);
        for (int part = 0; part < 8; part += 2) {
            bus.store(at + 2 + part, 2, value >>> (8 * part));
        }
    }

    // what a user of the guest does, between two turns of the processor

    /** The features that the driver took. */
    public long features() {
        return bus.load(map.variables() + FEATURES, 8);
    }

    /** Pages in the balloon, as the guest has it. */
    public int balloonedPages() {
        return pool.ballooned();
    }

    /** Page number {@code index} of those in the balloon, 0 to {@link #balloonedPages} - 1. */
    public int balloonedPage(int index) {
        return pool.entry(index);
    }

    /** Requests sent since the start. */
    public int requests() {
        return get(REQUESTS);
    }

    /** More RAM has come: its pages go into the balloon before others. */
    public void addRam(long address, int pages) {
        pool.add(address, pages);
    }

    /** Reports two stretches of free pages, side by side, of {@code pages} pages each. */
    public void report(long address, int pages) {
        rings[REPORTS].addWritable(address, pages * GuestMap.PAGE, 2);
        rings[REPORTS].kick(hasEventIndex());
    }

    /** Exposes a buffer of the caller's, whatever it is, on the inflate queue. */
    public void inflateFrom(long address, int length) {
        rings[INFLATE].addReadable(address, length);
        registers.write(VirtioMmio.QUEUE_NOTIFY, rings[INFLATE].number());
    }

    /** Tells the device of all five queues, whether there is something in them or not. */
    public void kickAll() {
        for (int queue = 0; queue < rings.length; queue++) {
            registers.write(VirtioMmio.QUEUE_NOTIFY, queue);
        }
    }

    private boolean hasEventIndex() {
        return (features() & VirtioMmio.EVENT_IDX) != 0;
    }

    private void toDo(int what) {
        set(WORK, get(WORK) | what);
    }

    private boolean take(int what) {
        int work = get(WORK);
        set(WORK, work & ~what);
        return (work & what) != 0;
    }

    private int get(int variable) {
        return (int) bus.load(map.variables() + variable, 4);
    }

    private void set(int variable, int value) {
        bus.store(map.variables() + variable, 4, value);
    }
}
