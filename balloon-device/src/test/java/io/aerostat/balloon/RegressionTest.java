package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.ALL_FEATURES;
import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.PAGE_FEATURES;
import static io.aerostat.balloon.BalloonRig.SECOND_NS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.range.PageLedger;
import io.aerostat.balloon.range.RecordingReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.driver.DriverHandshake;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.transport.mmio.MmioDevice;
import io.aerostat.virtio.transport.mmio.MmioTransport;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Sequences that went wrong once. */
final class RegressionTest {
    private static final long LENIENT = PAGE_FEATURES & ~BalloonFeature.MUST_TELL_HOST;

    @Test
    void aSkipMapHoldsAPageTheGuestMayAlreadyUse() {
        BalloonRig rig = new BalloonRig().start(LENIENT);
        rig.inflate(rig.data(0));
        rig.offer(DEFLATE, rig.data(0));
        rig.fill(DATA_PAGE, 42);
        PageLedger written = new PageLedger(rig.ram.memory());
        written.add(rig.data(0), 1);
        List<String> skip = new ArrayList<>();
        rig.mmio
                .controller()
                .execute(
                        () ->
                                rig.device
                                        .ballooned()
                                        .forEachSkippableRange(
                                                written, (p, n) -> skip.add(p + "+" + n)));
        rig.settle();
        assertEquals(List.of(), skip);
    }

    @Test
    void aDriverThatComesLateIsSqueezedSlowly() {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withPagesPerSecond(10)).start();
        rig.transport.reset();
        rig.device.target(400);
        rig.pass(0);
        rig.pass(3600 * SECOND_NS);
        rig.transport.reset();
        rig.transport.status(1);
        rig.transport.status(3);
        rig.pass(3600 * SECOND_NS);
        rig.pass(3600 * SECOND_NS);
        rig.transport.driverFeatures(PAGE_FEATURES & rig.transport.deviceFeatures());
        rig.transport.status(11);
        rig.transport.status(15);
        rig.pass(0);
        assertEquals(0, rig.device.targetPages());
    }

    @Test
    void atDriverOkTheOldTargetIsNotToBeSeen() {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withPagesPerSecond(10)).start();
        rig.device.target(400);
        rig.pass(0);
        rig.pass(3600 * SECOND_NS);
        rig.prepare(PAGE_FEATURES);
        rig.finish();
        assertEquals(0, rig.transport.readConfig(0));
    }

    @Test
    void sayingTheSameTargetAgainDoesNotStopTheRise() {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withPagesPerSecond(10)).start();
        for (int i = 0; i < 200; i++) {
            rig.device.target(400);
            rig.pass(SECOND_NS / 20);
        }
        assertTrue(rig.device.targetPages() > 50, "shown=" + rig.device.targetPages());
    }

    @Test
    void sayingTheSameTargetAgainDoesNotEndTheHold() {
        BalloonRig rig =
                new BalloonRig(BalloonOptions.DEFAULT.withFeatures(BalloonOptions.ALL_FEATURES))
                        .start(PAGE_FEATURES | BalloonFeature.DEFLATE_ON_OOM);
        rig.device.target(300);
        rig.settle();
        rig.inflate(rig.dataRun(0, 300));
        rig.pass(2 * SECOND_NS);
        rig.deflate(rig.dataRun(0, 100));
        rig.pass(SECOND_NS);
        assertEquals(200, rig.device.targetPages());
        rig.device.target(300);
        rig.pass(0);
        assertEquals(200, rig.device.targetPages());
    }

    @Test
    void anAccessFindsAnEndWhenAnotherQueueBreaksTheDevice() {
        BalloonRig rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(7)).start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        rig.offer(DEFLATE, rig.dataRun(0, 60));
        rig.kick(DEFLATE);
        List<GuestAccess> verdicts = new ArrayList<>();
        rig.device.onGuestAccess(rig.gpa(DATA_PAGE + 99), verdicts::add);
        rig.poll();
        assertEquals(List.of(), verdicts);
        rig.stop(INFLATE);
        // A descriptor table that is not aligned.
        rig.mmio.store(0x80, 4, 0x123457);
        rig.mmio.store(0x44, 4, 1);
        rig.settle();
        assertTrue((rig.transport.status() & 64) != 0);
        assertEquals(1, verdicts.size());
    }

    @Test
    void withoutMustTellHostAPageMayComeBackBeforeItsDeflateIsServed() {
        BalloonRig rig = new BalloonRig().start(LENIENT);
        rig.inflate(rig.data(0));
        rig.offer(DEFLATE, rig.data(0));
        rig.kick(DEFLATE);
        rig.offer(INFLATE, rig.data(0));
        rig.kick(INFLATE);
        rig.settle();
        assertEquals(1, rig.device.ledgerPages());
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void aResetFromInsideAPassKeepsWhatTheNextDriverWrote() {
        GuestRam ram = GuestRam.of(GuestRam.Kind.WITH_HOLE, 512 * 4096);
        BalloonDevice device =
                new BalloonDevice(
                        ram.memory(), new RecordingReclaimer(ram, 4096), BalloonOptions.DEFAULT);
        Runnable[] guest = {null};
        MmioDevice mmio =
                new MmioDevice(
                        ram.memory(),
                        device,
                        level -> {
                            Runnable program = guest[0];
                            if (level && program != null) {
                                guest[0] = null;
                                program.run();
                            }
                        },
                        Ownership.REGISTER_THREAD,
                        () -> {});
        MmioTransport transport = new MmioTransport(mmio);
        up(transport, 0);
        mmio.controller().poll(1);
        guest[0] = () -> up(transport, 0xAAAAAAAA);
        device.target(5);
        while (mmio.controller().poll(2) != 0) {}
        assertEquals(15, transport.status());
        assertEquals(0xAAAAAAAA, transport.readConfig(12));
    }

    private static void up(MmioTransport transport, int poison) {
        DriverHandshake handshake = new DriverHandshake(transport);
        assertNull(handshake.negotiate(5, ALL_FEATURES, 0));
        transport.writeConfig(12, poison);
        assertNull(handshake.finish());
    }

    @Test
    void aRestoreTellsWhichPagesAreInUseAgain() throws SnapshotException {
        BalloonRig rig = new BalloonRig();
        byte[] empty = rig.mmio.save();
        rig.start();
        rig.inflate(rig.data(0));
        rig.mmio.restore(empty);
        rig.settle();
        assertEquals(0, rig.device.ledgerPages());
        assertEquals(List.of(rig.range(0, 1)), rig.reclaimer.takeReuses());
    }
}
