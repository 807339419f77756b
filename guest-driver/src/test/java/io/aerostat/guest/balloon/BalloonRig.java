package io.aerostat.guest.balloon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.guest.page.ExhaustingPageAllocator;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalInt;

/**
 * A guest with a balloon driver, and a device that a test plays. Everything is stepped by hand; the
 * clock stands until a test moves it. After each step the pages are counted: none is lost, none is
 * there twice.
 */
final class BalloonRig {
    /** Pages of guest RAM. */
    static final int RAM_PAGES = 1500;

    static final long RETRY_NS = 1_000;

    static final long REPORTING_NS = 2_000;

    static final long PRESSURE_NS = 5_000;

    static final long REMOVAL_NS = 1 << 30;

    static final long WATCH_NS = 1 << 29;

    static final long EVERY_FEATURE = 0b111111;

    /** Four requests of up to 256 pages in flight. */
    static final BalloonDriverOptions OPTIONS =
            BalloonDriverOptions.DEFAULT
                    .withRequests(new BalloonDriverOptions.Requests(16, 4, 256))
                    .withFreePages(
                            new BalloonDriverOptions.FreePages(OptionalInt.empty(), 5, 6, 100))
                    .withDelays(
                            new BalloonDriverOptions.Delays(
                                    RETRY_NS, REPORTING_NS, PRESSURE_NS, REMOVAL_NS, WATCH_NS));

    private static final int MAX_STEPS = 10_000;

    final GuestRam ram;
    final ScriptedBalloon device;
    final MmioDevice mmio;
    final RegisterLog bus;
    final ExhaustingPageAllocator pressure;
    final GuardedPages pages;
    final BalloonDriver driver;
    private final Deque<Integer> others = new ArrayDeque<>();
    long nowNs;

    BalloonRig() {
        this(OPTIONS);
    }

    BalloonRig(BalloonDriverOptions options) {
        this(options, ScriptedBalloon.OFFER, BalloonConfigLayout.LENGTH);
    }

    BalloonRig(BalloonDriverOptions options, long offered, int configBytes) {
        this(options, offered, configBytes, null);
    }

    BalloonRig(
            BalloonDriverOptions options,
            long offered,
            int configBytes,
            StatisticsSource statistics) {
        ram = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, RAM_PAGES * GuestRam.PAGE);
        device = new ScriptedBalloon(ram, offered, configBytes);
        mmio =
                new MmioDevice(
                        ram.memory(), device, level -> {}, Ownership.REGISTER_THREAD, () -> {});
        bus = new RegisterLog(mmio);
        pressure = new ExhaustingPageAllocator(new BuddyAllocator(ram.base() >>> 12, RAM_PAGES));
        pages = new GuardedPages(pressure, device);
        driver =
                new BalloonDriver(ram.memory(), pages, new MmioTransport(bus), options, statistics);
    }

    /** Both sides do all that the balloon can, but for these features. */
    static BalloonRig without(long features) {
        long offered = EVERY_FEATURE & ~features;
        return new BalloonRig(
                OPTIONS.withFeatures(EVERY_FEATURE), ScriptedBalloon.OFFER | offered, 16);
    }

    /** A device with these features of the balloon, and a driver that takes all there are. */
    static BalloonRig with(long features) {
        return without(EVERY_FEATURE & ~features);
    }

    /** The same for a guest that fills its free pages. */
    static BalloonRig filling(int fill, long features) {
        return new BalloonRig(
                OPTIONS.withFeatures(EVERY_FEATURE).withPageFill(fill),
                Feature.VERSION_1 | Feature.EVENT_IDX | features,
                16);
    }

    /** Brings driver and device up. */
    BalloonRig started() {
        assertNull(driver.start());
        poll();
        return this;
    }

    /** Brings them up and confirms whatever it takes until so many pages are in the balloon. */
    BalloonRig inflatedTo(long target) {
        if (!device.live) {
            started();
        }
        device.target(target);
        settle();
        assertEquals(target, driver.balloonedPages());
        return this;
    }

    /** One step of the driver, then the device looks at its queues. */
    int step() {
        int work = driver.doWork(nowNs);
        poll();
        assertEveryPageAccountedFor();
        return work;
    }

    /** Lets the device look at its queues. */
    void poll() {
        while (mmio.controller().poll(0) != 0) {
            // It says when nothing is left.
        }
    }

    /** Steps on, confirming everything, until nobody has anything to do. The clock stands. */
    void settle() {
        for (int steps = 0; steps < MAX_STEPS; steps++) {
            int work = step();
            if (work == 0 && device.waiting().isEmpty()) {
                return;
            }
            device.confirmAll();
        }
        throw new AssertionError("never at rest");
    }

    /** Lets the retry delay pass. */
    void waitForRetry() {
        nowNs += RETRY_NS;
    }

    /** Others in the guest take so many pages, one by one. */
    void takeByOthers(int count) {
        for (int i = 0; i < count; i++) {
            int pfn = pages.allocate(0);
            if (pfn < 0) {
                throw new AssertionError("no page left for others: taken=" + i);
            }
            ram.putLe32((long) pfn << 12, ~pfn);
            others.add(pfn);
        }
    }

    /** Others in the guest give back so many pages, the last taken first. */
    void freeByOthers(int count) {
        for (int i = 0; i < count; i++) {
            int pfn = others.removeLast();
            assertEquals(~pfn, ram.le32((long) pfn << 12), "content of a page in use");
            pages.free(pfn, 0);
        }
    }

    /** Whether each word of a page is this value. */
    boolean isFilled(int pfn, int value) {
        for (long gpa = (long) pfn << 12; gpa < (pfn + 1L) << 12; gpa += 4) {
            if (ram.le32(gpa) != value) {
                return false;
            }
        }
        return true;
    }

    /** The page that {@link #freeByOthers} would give back next. */
    int lastTakenByOthers() {
        return others.getLast();
    }

    int takenByOthers() {
        return others.size();
    }

    void assertEveryPageAccountedFor() {
        assertEquals(
                pages.totalPages(),
                pages.freePages()
                        + driver.inPossession()
                        + driver.hintedPages()
                        + driver.isolatedPages()
                        + driver.pinnedPages()
                        + takenByOthers(),
                "pages");
    }
}
