package io.aerostat.guest.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.balloon.DriverCounter;
import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.guest.mm.MemoryOptions;
import io.aerostat.guest.mm.frame.VmCounter;
import io.aerostat.guest.workload.PressureOptions;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.HandshakeFailure;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;
import io.aerostat.virtio.transport.mmio.RegisterWindow;

import org.junit.jupiter.api.Test;

import java.util.EnumMap;
import java.util.Map;

/** A whole guest of 2000 pages, and a device that a test plays. */
final class GuestModelTest {
    private static final int PAGES = 2000;
    private static final long STEP_NS = 4_000_000;
    private static final long EVERY_FEATURE = 0b111111;

    /** Nothing is there. */
    private static final RegisterWindow EMPTY =
            new RegisterWindow() {
                @Override
                public long load(long offset, int width) {
                    return 0;
                }

                @Override
                public void store(long offset, int width, long value) {}
            };

    /** A guest and its device on one clock. */
    private static final class Rig {
        final GuestRam ram = GuestRam.of(GuestRam.Kind.DIRECT_BUFFER, PAGES * GuestRam.PAGE);
        final PlayedBalloon device;
        final GuestModel guest;
        private long nowNs;

        Rig(long features, int swapPages, long seed) {
            device = new PlayedBalloon(ram.memory(), features);
            MmioDevice mmio =
                    new MmioDevice(
                            ram.memory(), device, level -> {}, Ownership.REGISTER_THREAD, () -> {});
            guest =
                    new GuestModel(
                            ram.memory(), new MmioTransport(mmio), options(swapPages, seed), nowNs);
        }

        Rig(long features) {
            this(features, 200, 1);
        }

        Rig started() {
            assertNull(guest.startBalloon());
            device.poll();
            return this;
        }

        void step() {
            nowNs += STEP_NS;
            guest.step(nowNs);
            device.poll();
        }

        void run(int steps) {
            for (int i = 0; i < steps; i++) {
                step();
            }
        }

        long count(VmCounter counter) {
            return guest.memory().counters().get(counter);
        }

        String vballoon() {
            return guest.ps()
                    .lines()
                    .filter(line -> line.contains("vballoon"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static GuestOptions options(int swapPages, long seed) {
        return new GuestOptions(
                MemoryOptions.DEFAULT.withSwapPages(swapPages).withFiles(2, 100),
                BalloonDriverOptions.DEFAULT.withFeatures(EVERY_FEATURE),
                PressureOptions.DEFAULT.withProcesses(2).withPages(200, 40),
                seed);
    }

    @Test
    void takesOneRegionOfRam() {
        GuestRam ram = GuestRam.of(GuestRam.Kind.WITH_HOLE, PAGES * GuestRam.PAGE);

        assertThrows(
                IllegalArgumentException.class,
                () -> new GuestModel(ram.memory(), new MmioTransport(EMPTY), options(0, 1), 0));
    }

    @Test
    void livesWithoutABalloon() {
        GuestRam ram = GuestRam.of(GuestRam.Kind.DIRECT_BUFFER, PAGES * GuestRam.PAGE);
        GuestModel guest = new GuestModel(ram.memory(), new MmioTransport(EMPTY), options(0, 1), 0);

        assertEquals(HandshakeFailure.NOT_VIRTIO, guest.startBalloon());
        for (int i = 1; i <= 200; i++) {
            guest.step(i * STEP_NS);
        }

        assertTrue(guest.processes().accesses() > 0);
        assertEquals(0, guest.memory().balloonedPages());
        assertEquals(0, guest.stepBalloon(201 * STEP_NS));
    }

    @Test
    void listsItsTasks() {
        String ps = new Rig(0).guest.ps();

        for (String name :
                new String[] {"init", "kthreadd", "kswapd0", "vballoon", "worker0", "worker1"}) {
            assertTrue(ps.contains(" " + name + " "), ps);
        }
    }

    @Test
    void theDriversTaskShowsWhatItWaitsFor() {
        Rig rig = new Rig(0).started();
        rig.run(2);
        assertTrue(rig.vballoon().endsWith(" S    vballoon        balloon"), rig.vballoon());

        rig.device.confirms = false;
        rig.device.target(100);
        rig.run(2);
        assertTrue(rig.vballoon().endsWith(" S    vballoon        tell_host"), rig.vballoon());

        rig.device.confirms = true;
        rig.run(3);
        assertTrue(rig.vballoon().endsWith(" S    vballoon        balloon"), rig.vballoon());
        assertEquals(100, rig.device.actual());

        rig.device.target(PAGES);
        rig.run(20);
        assertTrue(rig.vballoon().endsWith(" S    vballoon        msleep"), rig.vballoon());
        assertTrue(rig.device.actual() < PAGES);
    }

    @Test
    void thePagesOfTheBalloonAreTakenFromTheMemory() {
        Rig rig = new Rig(0).started();
        long before = rig.guest.memory().balloonedPages();

        rig.device.target(700);
        rig.run(5);

        assertEquals(700, rig.guest.memory().balloonedPages() - before);
        assertEquals(700, rig.guest.driver().balloonedPages());
        rig.device.target(0);
        rig.run(5);
        assertEquals(before, rig.guest.memory().balloonedPages());
    }

    @Test
    void theDriverAloneMayBeStepped() {
        Rig rig = new Rig(0).started();
        long accesses = rig.guest.processes().accesses();

        rig.device.target(64);
        int done = rig.guest.stepBalloon(0);
        rig.device.poll();
        rig.guest.stepBalloon(0);

        assertTrue(done > 0);
        assertEquals(64, rig.guest.driver().balloonedPages());
        assertEquals(accesses, rig.guest.processes().accesses());
        assertEquals(0, rig.guest.tasks().clock().nowNs());
    }

    @Test
    void tellsTheHostItsOwnFigures() {
        Rig rig = new Rig(0);
        AddressSpace space = rig.guest.memory().newAddressSpace(900, 1990);
        for (int page = 0; page < 1990; page++) {
            space.write(page);
        }
        for (int page = 0; page < 400; page++) {
            space.free(page);
        }

        rig.started();

        Map<StatTag, Long> expected = new EnumMap<>(StatTag.class);
        expected.put(StatTag.SWAP_IN, 0L);
        expected.put(StatTag.SWAP_OUT, rig.count(VmCounter.PSWPOUT) << 12);
        expected.put(StatTag.MAJFLT, rig.count(VmCounter.PGMAJFAULT));
        expected.put(StatTag.MINFLT, rig.guest.memory().minorFaults());
        expected.put(StatTag.MEMFREE, rig.guest.memory().freePages() << 12);
        expected.put(StatTag.MEMTOT, (long) PAGES << 12);
        expected.put(StatTag.AVAIL, rig.guest.memory().availablePages() << 12);
        expected.put(StatTag.CACHES, rig.guest.memory().cachePages() << 12);
        expected.put(StatTag.OOM_KILL, 0L);
        expected.put(StatTag.ALLOC_STALL, rig.count(VmCounter.ALLOCSTALL_NORMAL));
        expected.put(StatTag.ASYNC_SCAN, rig.count(VmCounter.PGSCAN_KSWAPD) << 12);
        expected.put(StatTag.DIRECT_SCAN, rig.count(VmCounter.PGSCAN_DIRECT) << 12);
        expected.put(StatTag.ASYNC_RECLAIM, rig.count(VmCounter.PGSTEAL_KSWAPD) << 12);
        expected.put(StatTag.DIRECT_RECLAIM, rig.count(VmCounter.PGSTEAL_DIRECT) << 12);
        assertTrue(rig.count(VmCounter.PSWPOUT) > 0);
        assertEquals(expected, rig.device.statistics);
    }

    @Test
    void takesPagesBackBeforeItKillsIfItMay() {
        Rig rig = new Rig(BalloonFeature.DEFLATE_ON_OOM, 0, 1).started();
        rig.device.target(1500);
        rig.run(5);
        AddressSpace space = rig.guest.memory().newAddressSpace(900, 600);
        int page = 0;
        for (int step = 0; step < 100 && page < 600; step++) {
            while (page < 600 && space.write(page).isPresent()) {
                page++;
            }
            rig.step();
        }

        assertEquals(600, page);
        assertEquals(0, rig.count(VmCounter.OOM_KILL));
        long back = rig.guest.driver().counters().get(DriverCounter.PAGES_DEFLATED_ON_OOM);
        assertTrue(back >= 256, "in large pieces: " + back);
    }

    @Test
    void killsIfItMayNotTakePagesBack() {
        Rig rig = new Rig(0, 0, 1).started();
        rig.device.target(1500);
        rig.run(5);

        AddressSpace space = rig.guest.memory().newAddressSpace(900, 600);
        for (int page = 0; page < 600; page++) {
            space.write(page);
        }

        assertTrue(space.isKilled());
        assertEquals(1500, rig.guest.driver().balloonedPages());
    }

    @Test
    void compactionMovesTheBalloonsPages() {
        Rig rig = new Rig(BalloonFeature.MUST_TELL_HOST).started();
        AddressSpace space = rig.guest.memory().newAddressSpace(900, 1900);
        for (int page = 0; page < 1900; page++) {
            space.write(page);
        }
        for (int page = 0; page < 1900; page++) {
            if (page % 3 != 0) {
                space.free(page);
            }
        }
        rig.device.target(600);
        rig.run(5);
        assertEquals(600, rig.guest.driver().balloonedPages());

        boolean made = false;
        for (int i = 0; i < 200 && !made; i++) {
            made = rig.guest.memory().compact(8);
            rig.run(2);
        }

        assertTrue(made);
        assertTrue(rig.guest.driver().counters().get(DriverCounter.PAGES_MIGRATED) > 0);
        assertEquals(600, rig.guest.driver().balloonedPages());
        for (int page = 0; page < 1900; page += 3) {
            assertTrue(space.read(page).isPresent());
        }
        assertEquals(0, rig.count(VmCounter.CORRUPTED));
    }

    @Test
    void twoOfEqualOptionsDoTheSame() {
        Rig first = new Rig(0, 200, 7).started();
        Rig second = new Rig(0, 200, 7).started();
        Rig other = new Rig(0, 200, 8).started();

        for (Rig rig : new Rig[] {first, second, other}) {
            rig.device.target(1700);
            rig.run(2000);
        }

        assertEquals(figures(first), figures(second));
        assertNotEquals(figures(first), figures(other));
        assertTrue(first.count(VmCounter.PSWPOUT) > 0, "it was under pressure");
        assertEquals(0, first.guest.processes().corruptedPages());
    }

    private static String figures(Rig rig) {
        return rig.guest.memory().counters() + rig.guest.ps() + rig.device.actual();
    }
}
