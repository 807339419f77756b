package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.guest.mm.MemoryNode;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.model.GuestModel;
import io.aerostat.guest.model.GuestOptions;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.memory.backend.HugePages;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;
import io.aerostat.vmm.report.ResidentPages;

import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A machine with real RAM and a guest that has processes, a page cache and swap; on one thread and
 * one clock, with a {@link Bus} between them.
 */
final class ModelMachine implements AutoCloseable {
    static final GuestSize MAXIMUM = new GuestSize(32L << 20);
    static final int PAGES = 8192;
    static final long STEP_NS = 4_000_000;

    private static final int FIRST_ID = 40_000;

    /** Of both sides, but for filled pages, which no test here is about. */
    static final BalloonOptions ALL =
            BalloonOptions.DEFAULT.withFeatures(BalloonOptions.ALL_FEATURES);

    static final BalloonDriverOptions DRIVER =
            BalloonDriverOptions.DEFAULT.withFeatures(BalloonOptions.ALL_FEATURES);

    final VirtualMachine vm;
    final GuestModel guest;
    final Bus bus;
    private int spaces;
    private long nowNs;

    ModelMachine() {
        this(ALL, DRIVER);
    }

    ModelMachine(BalloonOptions balloon, BalloonDriverOptions driver) {
        this(balloon, driver, 1024, 4096);
    }

    ModelMachine(BalloonOptions balloon, BalloonDriverOptions driver, int swapPages, int unit) {
        RamOptions ram = new RamOptions(Backing.preferred(), HugePages.NEVER, unit);
        VmOptions options =
                new VmOptions("test", MAXIMUM, new GuestSize(4096), ram, Optional.of(balloon));
        vm = VirtualMachine.stepped(options, level -> {}, () -> nowNs);
        bus = new Bus(vm.balloonWindow().orElseThrow());
        guest =
                new GuestModel(
                        vm.memory(),
                        new MmioTransport(bus),
                        new GuestOptions(
                                MemoryOptions.DEFAULT.withSwapPages(swapPages).withFiles(4, 256),
                                driver,
                                PressureOptions.DEFAULT.withProcesses(2).withPages(512, 128),
                                1),
                        nowNs);
    }

    ModelMachine booted() {
        assertNull(guest.startBalloon());
        settle();
        return this;
    }

    BalloonDevice balloon() {
        return vm.balloon().orElseThrow();
    }

    MmioDevice mmio() {
        return (MmioDevice) vm.balloonWindow().orElseThrow();
    }

    BalloonDriver driver() {
        return guest.driver();
    }

    MemoryNode memory() {
        return guest.memory();
    }

    long count(BalloonCounter counter) {
        return balloon().counters().get(counter);
    }

    long count(VmCounter counter) {
        return memory().counters().get(counter);
    }

    long nowNs() {
        return nowNs;
    }

    // time

    /** One tick of everybody; the device does all that it can. */
    void step() {
        nowNs += STEP_NS;
        guest.step(nowNs);
        pollDevice();
    }

    private int pollDevice() {
        int work = 0;
        int done = vm.step();
        for (int pass = 0; done > 0 && pass < 64; pass++) {
            work += done;
            done = vm.step();
        }
        return work;
    }

    void runFor(double seconds) {
        long endNs = nowNs + (long) (seconds * 1e9);
        while (nowNs < endNs) {
            step();
        }
    }

    boolean runUntil(BooleanSupplier condition, double seconds) {
        long endNs = nowNs + (long) (seconds * 1e9);
        while (!condition.getAsBoolean() && nowNs < endNs) {
            step();
        }
        return condition.getAsBoolean();
    }

    /** Driver and device do all that they can while the clock and the processes stand still. */
    void settle() {
        int work = 1;
        for (int i = 0; work > 0 && i < 10_000; i++) {
            work = guest.stepBalloon(nowNs) + pollDevice();
        }
    }

    // the bus

    /** The device is pulled: it has no power, and whoever looks for it reads all ones. */
    void pull() {
        bus.unplug();
        mmio().reset();
    }

    /** It is there again, as it comes from the factory but for the host's target. */
    void putBack() {
        bus.plug(mmio());
    }

    // the host

    /** Brings the balloon to a size, and waits for it. */
    void inflateTo(long pages) {
        CompletableFuture<SetMemoryOutcome> outcome = ask(pages);
        runUntil(() -> isAt(pages), 60);
        step();
        assertEquals(new SetMemoryOutcome.Reached(new BalloonSize(pages)), outcome.join());
    }

    /** The balloon has a size, by the word of both sides. */
    boolean isAt(long pages) {
        return balloon().ledgerPages() == pages && balloon().actualPages() == pages;
    }

    CompletableFuture<SetMemoryOutcome> ask(long balloonPages) {
        GuestSize size = new BalloonSize(balloonPages).guestWithin(MAXIMUM);
        return vm.setMemory(size, Duration.ofSeconds(60));
    }

    /** The guest's figures of this moment. */
    GuestStatistics statistics() {
        CompletableFuture<StatisticsOutcome> answer = vm.statistics(Duration.ofSeconds(1));
        settle();
        // Completed elsewhere, so not quite yet.
        StatisticsOutcome outcome = answer.orTimeout(10, TimeUnit.SECONDS).join();
        return ((StatisticsOutcome.Answered) outcome).figures();
    }

    BitSet ballooned() {
        CompletableFuture<BitSet> pages = vm.balloonedPages();
        vm.step();
        return pages.join();
    }

    ResidentPages resident() {
        return ResidentPages.of(vm.backend());
    }

    // the guest

    /** A process that has written all of its pages. */
    AddressSpace written(int pages) {
        AddressSpace space = memory().newAddressSpace(FIRST_ID + spaces++, pages);
        for (int page = 0; page < pages; page++) {
            space.write(page);
        }
        return space;
    }

    /** Frees all but each {@code nth} page, so that what is free lies scattered. */
    static void thin(AddressSpace space, int nth) {
        for (int page = 0; page < space.pages(); page++) {
            if (page % nth != 0) {
                space.free(page);
            }
        }
    }

    void assertIntact(AddressSpace... spaces) {
        for (AddressSpace space : spaces) {
            for (int page = 0; page < space.pages(); page++) {
                if (space.isPresent(page) || space.isSwapped(page)) {
                    space.read(page);
                }
            }
        }
        assertEquals(0, count(VmCounter.CORRUPTED));
    }

    /** Both sides name the same pages, nothing was odd, and what was counted adds up. */
    void assertInStep() {
        assertInStepBut();
    }

    /** The same, but for some oddities. */
    void assertInStepBut(BalloonCounter... tolerated) {
        settle();
        assertEquals(driver().balloonedPages(), balloon().ledgerPages());
        assertEquals(driver().balloonedPages(), balloon().actualPages());
        assertEquals(driver().balloonedPages(), driver().inPossession());
        ballooned().stream().forEach(pfn -> assertTrue(driver().owns(pfn), "pfn=" + pfn));
        long known = Arrays.stream(tolerated).mapToLong(this::count).sum();
        assertEquals(known, balloon().counters().anomalies(), "anomalies");
        assertEquals(
                balloon().ledgerPages(),
                count(BalloonCounter.PAGES_INFLATED)
                        - count(BalloonCounter.PAGES_DEFLATED)
                        - count(BalloonCounter.PAGES_RETURNED_BY_RESET));
        assertEquals(
                driver().inPossession()
                        + driver().pinnedPages()
                        + driver().hintedPages()
                        + driver().isolatedPages()
                        + driver().abandonedPages(),
                memory().balloonedPages() + driver().isolatedPages());
    }

    @Override
    public void close() {
        vm.close();
    }
}
