package io.aerostat.vmm.frontend;

import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.UnixSockets;

import java.util.function.BooleanSupplier;

/** Our driver, a front-end and a {@link ScriptedBackEnd}, on one thread and one clock. */
final class FrontEndRig implements AutoCloseable {
    static final long RAM_BYTES = 16 << 20;
    static final long FEATURES = Feature.VERSION_1 | Feature.EVENT_IDX | BalloonFeature.STATS_VQ;

    private static final long STEP_NS = 1_000_000;

    final FrontEndRam ram;
    final ScriptedBackEnd backEnd;
    final VhostUserTransport transport;
    final BuddyAllocator pages;
    final BalloonDriver driver;
    private long nowNs = 1;

    FrontEndRig(Manner manner) {
        Descriptor[] pair = UnixSockets.pair();
        ram = manner.ram(RAM_BYTES);
        backEnd = new ScriptedBackEnd(pair[1], FEATURES);
        FrontEnd frontEnd = FrontEnd.over(pair[0], backEnd::step);
        transport = new VhostUserTransport(new VhostDevice(frontEnd, ram), manner.dialect());
        // All pages of the last region: what lies high is where mistakes show.
        RamRegion region = ram.memory().region(ram.memory().regionCount() - 1);
        pages =
                new BuddyAllocator(
                        region.gpa() >>> PageFrame.SHIFT, region.length() >>> PageFrame.SHIFT);
        driver = new BalloonDriver(ram.memory(), pages, transport, BalloonDriverOptions.DEFAULT);
    }

    /** The host wants so many pages. */
    void target(int pages) {
        backEnd.changeConfig(BalloonConfigLayout.NUM_PAGES_OFFSET, pages);
    }

    int actual() {
        return backEnd.config(BalloonConfigLayout.ACTUAL_OFFSET);
    }

    void step() {
        nowNs += STEP_NS;
        driver.doWork(nowNs);
        backEnd.step();
    }

    boolean runUntil(BooleanSupplier condition) {
        for (int i = 0; i < 10_000 && !condition.getAsBoolean(); i++) {
            step();
        }
        return condition.getAsBoolean();
    }

    @Override
    public void close() {
        transport.close();
        backEnd.close();
        ram.close();
    }
}
