package io.aerostat.vmm.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonDevice;
import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.guest.balloon.BalloonDriverOptions;
import io.aerostat.guest.balloon.DriverCounter;
import io.aerostat.guest.mm.AddressSpace;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.BitSet;

/**
 * A balloon is saved while its driver is at work, and another device goes on in its place, on the
 * same RAM. The driver notices nothing.
 */
final class RestoreMachineTest {
    /** Small passes, so that requests are saved half-way. */
    private static final BalloonOptions BALLOON = ModelMachine.ALL.withWorkBudget(7);

    private static final BalloonDriverOptions DRIVER =
            ModelMachine.DRIVER.withRequests(new BalloonDriverOptions.Requests(64, 4, 100));

    /** Clocks of the device that was saved and of its successor have nothing in common. */
    private static final long ORIGIN_NS = -5_000_000_000_000L;

    /** A device that goes on where the machine's own stopped, which is not stepped any more. */
    private static final class Successor {
        final ModelMachine machine;
        final BalloonDevice balloon;
        final MmioDevice mmio;
        private long nowNs;

        Successor(ModelMachine machine, byte[] snapshot) throws SnapshotException {
            this.machine = machine;
            this.nowNs = machine.nowNs();
            balloon =
                    new BalloonDevice(
                            machine.vm.memory(), machine.vm.backend().reclaimer(), BALLOON);
            mmio =
                    new MmioDevice(
                            machine.vm.memory(),
                            balloon,
                            level -> {},
                            Ownership.REGISTER_THREAD,
                            () -> {});
            mmio.restore(snapshot);
            machine.bus.plug(mmio);
            // Two devices must not serve one driver's rings.
            machine.mmio().controller().drain();
        }

        void step() {
            nowNs += ModelMachine.STEP_NS;
            machine.guest.step(nowNs);
            poll();
        }

        void poll() {
            mmio.controller().poll(nowNs + ORIGIN_NS);
        }

        void runUntilAt(long pages) {
            for (int steps = 0; steps < 5000 && !isAt(pages); steps++) {
                step();
            }
            assertTrue(isAt(pages), () -> "at " + balloon.ledgerPages() + ", not " + pages);
        }

        private boolean isAt(long pages) {
            return balloon.ledgerPages() == pages && balloon.actualPages() == pages;
        }

        BitSet ballooned() {
            BitSet pages = new BitSet();
            balloon.ballooned()
                    .forEachRange((pfn, count) -> pages.set((int) pfn, (int) (pfn + count)));
            return pages;
        }
    }

    /** Both sides once, the device by a single pass. */
    private static void pass(ModelMachine machine) {
        machine.guest.stepBalloon(machine.nowNs());
        machine.vm.step();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 11, 40, 200})
    void anInflateGoesOnThroughTheNewWindow(int passes) throws SnapshotException {
        try (ModelMachine machine = new ModelMachine(BALLOON, DRIVER).booted()) {
            AddressSpace space = machine.written(2000);
            var _ = machine.ask(4000);
            for (int i = 0; i < passes; i++) {
                pass(machine);
            }
            long ledger = machine.balloon().ledgerPages();
            long anomalies = machine.balloon().counters().anomalies();
            assertTrue(ledger < 4000, "ledger=" + ledger);

            Successor successor = new Successor(machine, machine.mmio().save());
            assertEquals(ledger, successor.balloon.ledgerPages());
            assertEquals(machine.balloon().targetPages(), successor.balloon.targetPages());
            successor.runUntilAt(4000);

            assertEquals(0, anomalies + successor.balloon.counters().anomalies());
            assertEquals(0, machine.driver().restarts());
            assertEquals(4000, machine.driver().balloonedPages());
            assertEquals(
                    4000 - ledger, successor.balloon.counters().get(BalloonCounter.PAGES_INFLATED));
            successor.ballooned().stream()
                    .forEach(pfn -> assertTrue(machine.driver().owns(pfn), "pfn=" + pfn));
            machine.assertIntact(space);
        }
    }

    @Test
    void aDeflateGoesOnToo() throws SnapshotException {
        try (ModelMachine machine = new ModelMachine(BALLOON, DRIVER).booted()) {
            AddressSpace space = machine.written(2000);
            machine.inflateTo(4000);
            var _ = machine.ask(500);
            for (int i = 0; i < 30; i++) {
                pass(machine);
            }
            long ledger = machine.balloon().ledgerPages();
            assertTrue(ledger < 4000 && ledger > 500, "ledger=" + ledger);

            Successor successor = new Successor(machine, machine.mmio().save());
            successor.runUntilAt(500);

            assertEquals(0, successor.balloon.counters().anomalies());
            AddressSpace second = machine.written(4000);
            machine.assertIntact(space, second);
        }
    }

    @Test
    void aDeviceIsSucceededAgainAndAgain() throws SnapshotException {
        try (ModelMachine machine = new ModelMachine(BALLOON, DRIVER).booted()) {
            AddressSpace space = machine.written(2000);
            var _ = machine.ask(4000);
            pass(machine);
            pass(machine);
            Successor successor = new Successor(machine, machine.mmio().save());
            int devices = 1;
            long anomalies = 0;
            while (successor.balloon.ledgerPages() < 4000 && devices < 3000) {
                machine.guest.stepBalloon(machine.nowNs());
                successor.poll();
                anomalies += successor.balloon.counters().anomalies();
                successor = new Successor(machine, successor.mmio.save());
                devices++;
            }

            successor.runUntilAt(4000);

            assertTrue(devices > 500, "devices=" + devices);
            assertEquals(0, anomalies + successor.balloon.counters().anomalies());
            machine.assertIntact(space);
        }
    }

    @Test
    void whatElseTheDriverHadBegunGoesOnToo() throws SnapshotException {
        try (ModelMachine machine = new ModelMachine(BALLOON, DRIVER).booted()) {
            AddressSpace space = machine.written(2000);
            machine.balloon().hinting().start();
            pass(machine);
            pass(machine);
            assertTrue(machine.driver().hintedPages() > 0);

            Successor successor = new Successor(machine, machine.mmio().save());
            for (int i = 0; i < 100; i++) {
                successor.step();
            }
            successor.balloon.statistics().request();
            for (int i = 0; i < 5; i++) {
                successor.poll();
                machine.guest.stepBalloon(machine.nowNs());
            }

            assertEquals(
                    machine.driver().counters().get(DriverCounter.PAGES_HINTED),
                    successor.balloon.hinting().hintedPages());
            assertFalse(successor.balloon.statistics().latest().isEmpty());
            assertEquals(
                    machine.memory().freePages() << 12,
                    successor
                            .balloon
                            .statistics()
                            .latest()
                            .orElseThrow()
                            .value(StatTag.MEMFREE)
                            .orElseThrow());
            successor.balloon.hinting().done();
            for (int i = 0; i < 10; i++) {
                successor.step();
            }
            assertEquals(0, machine.driver().hintedPages());
            assertEquals(0, successor.balloon.counters().anomalies());
            machine.assertIntact(space);
        }
    }
}
