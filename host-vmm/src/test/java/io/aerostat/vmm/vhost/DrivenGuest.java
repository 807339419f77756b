package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.guest.balloon.BalloonDriver;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.page.BuddyAllocator;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.frontend.FrontEnd;
import io.aerostat.vmm.frontend.FrontEndRam;
import io.aerostat.vmm.frontend.Manner;
import io.aerostat.vmm.frontend.VhostDevice;
import io.aerostat.vmm.frontend.VhostUserTransport;

import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Our driver behind a front-end, on the test's thread and a clock of its own. */
final class DrivenGuest implements AutoCloseable {
    static final long RAM_BYTES = 32 << 20;

    private static final BalloonDriverOptions OPTIONS =
            new BalloonDriverOptions(
                    BalloonDriverOptions.DEFAULT.numbering(),
                    BalloonDriverOptions.DEFAULT.features(),
                    BalloonDriverOptions.DEFAULT.requests(),
                    new BalloonDriverOptions.FreePages(OptionalInt.empty(), 9, 10, 64),
                    BalloonDriverOptions.DEFAULT.delays());

    private static final long STEP_NS = 1_000_000;
    private static final long PAUSE_NS = 10_000;

    final FrontEndRam ram;
    final VhostUserTransport transport;
    final BuddyAllocator pages;
    final BalloonDriver driver;
    private long nowNs = 1;

    DrivenGuest(Path socket, Manner manner) {
        ram = manner.ram(RAM_BYTES);
        FrontEnd frontEnd = FrontEnd.connect(socket);
        transport = new VhostUserTransport(new VhostDevice(frontEnd, ram), manner.dialect());
        // Pages of the last region: what lies high is where mistakes show.
        RamRegion region = ram.memory().region(ram.memory().regionCount() - 1);
        pages =
                new BuddyAllocator(
                        region.gpa() >>> PageFrame.SHIFT, region.length() >>> PageFrame.SHIFT);
        driver = new BalloonDriver(ram.memory(), pages, transport, OPTIONS);
    }

    /** Connects, and starts its driver. */
    static DrivenGuest started(Path socket, Manner manner) {
        DrivenGuest guest = new DrivenGuest(socket, manner);
        assertNull(guest.driver.start());
        return guest;
    }

    /** The guest uses all of its RAM. */
    void touchAll() {
        for (RamRegion region : ram.memory().regions()) {
            RamAccess access = RamAccess.of(ram.memory(), region.gpa(), region.length());
            for (long at = 0; at < region.length(); at += PageFrame.BYTES) {
                access.putByte(at, (byte) 1);
            }
        }
    }

    void step() {
        nowNs += STEP_NS;
        driver.doWork(nowNs);
        LockSupport.parkNanos(PAUSE_NS);
    }

    void runUntil(BooleanSupplier condition, String what) {
        long startNs = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - startNs > ServedGuest.PATIENCE.toNanos()) {
                throw new AssertionError("the driver ran too long until " + what);
            }
            step();
        }
    }

    @Override
    public void close() {
        transport.close();
        ram.close();
    }
}
