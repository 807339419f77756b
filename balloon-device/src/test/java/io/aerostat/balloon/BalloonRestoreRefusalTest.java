package io.aerostat.balloon;

import static io.aerostat.virtio.spec.balloon.BalloonQueue.DEFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.FREE_PAGE_HINT;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.INFLATE;
import static io.aerostat.virtio.spec.balloon.BalloonQueue.REPORTING;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.range.RecordingReclaimer;
import io.aerostat.virtio.device.Ownership;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;
import io.aerostat.virtio.testkit.DeviceLog;
import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.virtio.testkit.SnapshotBytes;
import io.aerostat.virtio.transport.mmio.MmioDevice;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;

/** Snapshots of a balloon that are damaged, forged or of another machine. */
final class BalloonRestoreRefusalTest {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final long FEATURES = SnapshotRig.ALL_FEATURES & ~BalloonFeature.PAGE_POISON;
    private static final BalloonOptions OPTIONS =
            SnapshotRig.OPTIONS
                    .withWorkBudget(20)
                    .withPagesPerSecond(100)
                    .withOomHoldNs(10 * SECOND_NS);
    private static final int UNIT_BYTES = 1 << 14;

    /** Where a snapshot's header ends: magic, version, length, checksum. */
    private static final int HEADER_LENGTH = 20;

    private final DeviceLog log = new DeviceLog();

    @AfterEach
    void closeLog() {
        log.close();
    }

    /** A machine that is in the middle of everything. */
    private static SnapshotRig busy() {
        SnapshotRig rig = new SnapshotRig(OPTIONS, UNIT_BYTES).start(FEATURES);
        rig.device.target(1200);
        rig.device.statistics().period(5 * SECOND_NS);
        rig.device.hinting().start();
        rig.offer(INFLATE, rig.dataRun(0, 190));
        rig.settle();
        rig.hintCommand(rig.transport.readConfig(8));
        rig.freePages(FREE_PAGE_HINT, 400, 50);
        rig.supply(4, 1 << 20, 5, 1 << 21, 60_000, 3);
        rig.settle();
        rig.pass(3 * SECOND_NS);
        rig.offer(DEFLATE, rig.dataRun(0, 90));
        rig.settle();
        rig.pass(2 * SECOND_NS);
        long gpa = rig.slot(INFLATE);
        rig.write(gpa, rig.dataRun(500, 60));
        rig.offer(INFLATE, new long[] {gpa, gpa + 6}, new long[] {6, 234}, 2, 0);
        rig.offer(DEFLATE, rig.dataRun(100, 60));
        rig.freePages(REPORTING, 600, 100);
        rig.freePages(FREE_PAGE_HINT, 700, 100);
        rig.poll();
        rig.poll();
        return rig;
    }

    @Test
    void theBusyMachineIsInTheMiddleOfAllQueues() {
        SnapshotRig rig = busy();

        assertEquals(1, rig.driver(INFLATE).inFlight() - rig.reap(INFLATE));
        assertEquals(1, rig.driver(DEFLATE).inFlight() - rig.reap(DEFLATE));
        assertEquals(1, rig.driver(REPORTING).inFlight() - rig.reap(REPORTING));
        assertTrue(rig.device.ledgerPages() > 50, "pages=" + rig.device.ledgerPages());
        assertTrue(rig.device.incompletePages() > 0);
        assertTrue(rig.device.hinting().hintedPages() >= 50);
        assertTrue(rig.device.statistics().latest().isPresent());
    }

    // --- damaged by accident

    @Test
    void whateverIsDamagedTheDeviceIsUnchangedAndWorks() {
        byte[] good = busy().mmio.save();
        SnapshotRig victim = busy();
        byte[] before = victim.mmio.save();
        byte[] ram = victim.ramBytes();

        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= (byte) (1 << (at % Byte.SIZE));
            refusal(victim, bad);
            refusal(victim, Arrays.copyOf(good, at));
        }

        assertArrayEquals(before, victim.mmio.save());
        assertArrayEquals(ram, victim.ramBytes());
        victim.settle();
        assertEquals(2, victim.reap(INFLATE));
        assertEquals(2, victim.reap(DEFLATE));
        assertEquals(1, victim.reap(REPORTING));
        assertEquals(3, victim.reap(FREE_PAGE_HINT));
    }

    @Test
    void refusesANewerVersion() {
        SnapshotRig rig = busy();
        byte[] newer = rig.mmio.save();
        newer[8] = 2;

        assertEquals(
                "snapshot has another version: version=2, supported=1",
                refusal(rig, SnapshotBytes.sealed(newer)));
    }

    private static String refusal(SnapshotRig rig, byte[] snapshot) {
        return assertThrows(SnapshotException.class, () -> rig.mmio.restore(snapshot)).getMessage();
    }

    // --- forged

    /** Every byte, some values, a good checksum. */
    @Test
    void whateverByteIsForgedIsRefusedWithoutEffectOrServed() {
        Forgery forgery = new Forgery();
        Random random = new Random(1);

        for (int at = HEADER_LENGTH; at < forgery.good.length; at++) {
            int old = forgery.good[at];
            for (int value : new int[] {0, 1, 0x7F, 0x80, 0xFF, ~old, random.nextInt(256)}) {
                byte[] forged = forgery.good.clone();
                forged[at] = (byte) value;
                forgery.play(forged, "at=" + at + ", value=" + value);
            }
        }

        forgery.assertBothHappened();
    }

    static LongStream seeds() {
        return Seeds.first(4);
    }

    /** Several bytes at once. */
    @ParameterizedTest
    @MethodSource("seeds")
    void whateverBytesAreForgedAreRefusedWithoutEffectOrServed(long seed) {
        Forgery forgery = new Forgery();
        Random random = new Random(seed);

        for (int round = 0; round < 1500; round++) {
            byte[] forged = forgery.good.clone();
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                int at = HEADER_LENGTH + random.nextInt(forged.length - HEADER_LENGTH);
                forged[at] =
                        (byte) (random.nextBoolean() ? random.nextInt(3) - 1 : random.nextInt());
            }
            forgery.play(forged, "round=" + round + ", " + Seeds.replay(seed));
        }

        forgery.assertBothHappened();
    }

    /** A good snapshot, the machine it is of, and what becomes of forged ones there. */
    private static final class Forgery {
        private static final long RAM_PAGES = SnapshotRig.RAM_PAGES + 1;
        private static final int KEPT = SnapshotRig.DATA_PAGE * SnapshotRig.PAGE;

        final byte[] good;
        private final SnapshotRig rig = busy();
        private final ByteBuffer rings = ByteBuffer.allocate(KEPT).order(ByteOrder.LITTLE_ENDIAN);
        private final RamAccess window;
        private int refused;
        private int taken;

        Forgery() {
            good = rig.mmio.save();
            window = RamAccess.of(rig.ram.memory(), rig.gpa(0), KEPT);
            for (int at = 0; at < KEPT; at += Long.BYTES) {
                rings.putLong(at, window.getLong(at));
            }
        }

        void play(byte[] forged, String what) {
            byte[] before = rig.mmio.save();
            try {
                rig.mmio.restore(SnapshotBytes.sealed(forged));
            } catch (SnapshotException e) {
                refused++;
                assertArrayEquals(before, rig.mmio.save(), what);
                return;
            }
            taken++;
            serve(what);
            for (int at = 0; at < KEPT; at += Long.BYTES) {
                window.putLong(at, rings.getLong(at));
            }
        }

        /** The reclaimer insists on whole pages of RAM, so that it would see an escape. */
        private void serve(String what) {
            for (int passes = 0; passes < 12; passes++) {
                rig.pass(SECOND_NS);
                BalloonDevice device = rig.device;
                long pages = device.ledgerPages();
                assertTrue(pages >= 0 && pages <= RAM_PAGES, what);
                long incomplete = device.incompletePages();
                assertTrue(incomplete >= 0 && incomplete <= pages, what + ": " + incomplete);
                assertTrue(device.targetPages() <= RAM_PAGES, what + ": " + device.targetPages());
                assertTrue(device.hinting().hintedPages() <= RAM_PAGES, what);
            }
            byte[] now = rig.mmio.save();
            try {
                rig.mmio.restore(now);
            } catch (SnapshotException e) {
                throw new AssertionError(what + " led to what cannot be saved", e);
            }
        }

        void assertBothHappened() {
            assertTrue(refused > 300 && taken > 300, "refused=" + refused + ", taken=" + taken);
        }
    }

    /** Then the element's bounds are anybody's, and were once taken for those of a real one. */
    @Test
    void aWalkThatHasNotBegunIsInNoElement() {
        SnapshotRig rig = new SnapshotRig(OPTIONS, UNIT_BYTES).start(FEATURES);
        long gpa = rig.slot(INFLATE);
        rig.write(gpa, rig.dataRun(0, 60));
        rig.offer(INFLATE, new long[] {gpa}, new long[] {240}, 1, 0);
        rig.poll();
        byte[] snapshot = rig.mmio.save();
        ByteBuffer bytes = ByteBuffer.wrap(snapshot).order(ByteOrder.LITTLE_ENDIAN);
        int element = indexOf(bytes, gpa, 240);

        // head 24 bytes before, upcoming 18, walked 13
        bytes.putInt(element - 18, bytes.getInt(element - 24));
        bytes.putInt(element - 13, 0);
        bytes.putLong(element, 0x7777_7777_7000L);

        assertTrue(refusal(rig, SnapshotBytes.sealed(snapshot)).contains("elementOffset"));
        rig.settle();
        assertEquals(1, rig.reap(INFLATE));
    }

    private static int indexOf(ByteBuffer bytes, long gpa, long length) {
        for (int at = 0; at + 16 <= bytes.capacity(); at++) {
            if (bytes.getLong(at) == gpa && bytes.getLong(at + 8) == length) {
                return at;
            }
        }
        throw new AssertionError("no such element in the snapshot: gpa=" + gpa);
    }

    // --- another machine

    @Test
    void refusesOtherRam() {
        SnapshotRig rig = busy();
        byte[] snapshot = rig.mmio.save();
        GuestRam smaller = GuestRam.of(GuestRam.Kind.BYTE_ARRAY, rig.ram.base(), rig.ram.length());
        MmioDevice other = over(smaller.memory(), new RecordingReclaimer(smaller, 4096), OPTIONS);
        GuestRam elsewhere = GuestRam.of(GuestRam.Kind.WITH_HOLE, 1 << 22, rig.ram.length());
        MmioDevice moved =
                over(elsewhere.memory(), new RecordingReclaimer(elsewhere, 4096), OPTIONS);

        assertEquals(
                "snapshot is of another machine: ramRegions=0x2, here=0x1",
                refusal(other, snapshot));
        assertEquals(
                "snapshot is of another machine: ramGpa=0x200000, here=0x400000",
                refusal(moved, snapshot));
    }

    @Test
    void refusesOtherOptionsThatADriverCanSee() {
        SnapshotRig rig = busy();
        byte[] snapshot = rig.mmio.save();

        assertEquals(
                "snapshot is of another machine: offered=0x13000003f, here=0x13000003e",
                refusal(rig, snapshot, OPTIONS.withFeatures(BalloonOptions.ALL_FEATURES & ~1L)));
        assertEquals(
                "snapshot is of another machine: queueNumbering=0x0, here=0x2",
                refusal(rig, snapshot, OPTIONS.withNumbering(QueueNumbering.SPECIFIED)));
        assertEquals(
                "snapshot is of another machine: queueSizeMax=0x20, here=0x40",
                refusal(rig, snapshot, OPTIONS.withQueueSize(64)));
        assertEquals(
                "snapshot has a queue that cannot be here: queue=0, fault=SIZE_INVALID",
                refusal(rig, snapshot, OPTIONS.withQueueSize(16)));
    }

    /** The driver never saw them: each host has its own. */
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 1 << 16})
    void takesOptionsThatAreTheHostsAlone(int workBudget) throws SnapshotException {
        SnapshotRig rig = busy();
        BalloonOptions others =
                OPTIONS.withWorkBudget(workBudget).withPagesPerSecond(0).withOomHoldNs(0);

        rig.succeed(0, rig.newDevice(others, rig.record));
        rig.settle();

        assertEquals(2, rig.reap(INFLATE));
        assertEquals(2, rig.reap(DEFLATE));
        assertEquals(1, rig.reap(REPORTING));
        assertEquals(190 - 90 - 60 + 60, rig.device.ledgerPages());
    }

    private static String refusal(SnapshotRig rig, byte[] snapshot, BalloonOptions options) {
        return refusal(rig.newMmio(rig.newDevice(options, rig.record)), snapshot);
    }

    private static String refusal(MmioDevice device, byte[] snapshot) {
        byte[] before = device.save();
        String message =
                assertThrows(SnapshotException.class, () -> device.restore(snapshot)).getMessage();
        assertArrayEquals(before, device.save());
        return message;
    }

    private static MmioDevice over(
            GuestMemory memory, RecordingReclaimer host, BalloonOptions options) {
        return new MmioDevice(
                memory,
                new BalloonDevice(memory, host, options),
                level -> {},
                Ownership.REGISTER_THREAD,
                () -> {});
    }
}
