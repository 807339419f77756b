package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.HINTS;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.REPORTS;
import static io.aerostat.balloon.BalloonRig.STATS;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A balloon that is saved after RAM was taken away from its guest: what it was can go on. */
final class DetachedRamSnapshotTest {
    private static final BalloonOptions STEP_BY_STEP =
            BalloonOptions.DEFAULT.withFeatures(BalloonOptions.ALL_FEATURES).withWorkBudget(1);

    private static BalloonRig rig(BalloonOptions options) {
        return new BalloonRig(options).start(BalloonRig.ALL_FEATURES);
    }

    private static RamRegion behindTheHole(BalloonRig rig) {
        return rig.ram.memory().region(1);
    }

    private static void saveAndRestore(BalloonRig rig) throws SnapshotException {
        rig.mmio.restore(rig.mmio.save());
        rig.settle();
    }

    private static void assertWorksAfterAReset(BalloonRig rig) {
        rig.start(BalloonRig.ALL_FEATURES);
        rig.inflate(rig.data(0), rig.data(1));
        assertEquals(2, rig.device.ledgerPages());
        assertFalse(rig.needsReset());
    }

    @Test
    void aRequestThatWasReturnedIsNoPartOfTheState() throws SnapshotException {
        BalloonRig rig = rig(STEP_BY_STEP);
        RamRegion gone = behindTheHole(rig);
        rig.ram.putLe32(gone.gpa(), rig.data(0));
        rig.offer(INFLATE, gone.gpa(), 4, false);
        rig.kick(INFLATE);
        rig.settle();
        assertEquals(1, rig.reap(INFLATE));

        rig.mmio.detach(gone);
        saveAndRestore(rig);

        rig.inflate(rig.data(1));
        assertEquals(2, rig.device.ledgerPages());
        assertFalse(rig.needsReset());
    }

    @Test
    void anIndirectTableOfARequestThatWasReturnedIsNoPartOfTheState() throws SnapshotException {
        BalloonRig rig = rig(STEP_BY_STEP);
        RamRegion gone = behindTheHole(rig);
        long request = rig.write(rig.data(0));
        putDescriptor(rig, gone.gpa(), request, 4);
        rig.rings[INFLATE].descriptor(9, gone.gpa(), 16, 4, 0);
        rig.rings[INFLATE].offer(9);
        rig.kick(INFLATE);
        rig.settle();
        assertEquals(1, rig.device.ledgerPages());

        rig.mmio.detach(gone);
        saveAndRestore(rig);

        assertFalse(rig.needsReset());
    }

    private static void putDescriptor(BalloonRig rig, long at, long gpa, int length) {
        rig.ram.putLe64(at, gpa);
        rig.ram.putLe32(at + 8, length);
        rig.ram.putLe32(at + 12, 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {INFLATE, DEFLATE, HINTS, REPORTS})
    void aRequestThatRestsInRamThatIsGoneIsAFaultBeforeAndAfter(int queue)
            throws SnapshotException {
        BalloonRig rig = rig(STEP_BY_STEP);
        RamRegion gone = behindTheHole(rig);
        boolean isWritten = queue == HINTS || queue == REPORTS;
        rig.offer(queue, gone.gpa(), GuestRam.PAGE, isWritten);
        rig.kick(queue);
        rig.poll();
        if (!isWritten) {
            // Into the element: its first number.
            rig.poll();
        }
        assertEquals(0, rig.reap(queue));

        rig.mmio.detach(gone);
        rig.assertFault(QueueFault.ELEMENT_OUTSIDE_RAM);
        saveAndRestore(rig);

        assertTrue(rig.needsReset());
        assertWorksAfterAReset(rig);
    }

    @Test
    void statisticsThatAreHeldInRamThatIsGoneAreAFaultBeforeAndAfter() throws SnapshotException {
        BalloonRig rig = rig(STEP_BY_STEP);
        RamRegion gone = behindTheHole(rig);
        rig.offer(STATS, gone.gpa(), 10, false);
        rig.kick(STATS);
        rig.settle();

        rig.mmio.detach(gone);
        saveAndRestore(rig);

        assertTrue(rig.needsReset());
        assertWorksAfterAReset(rig);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRingInRamThatIsGoneIsAFaultBeforeAndAfter(boolean seen) throws SnapshotException {
        BalloonRig rig = rig(STEP_BY_STEP);
        RamRegion gone = behindTheHole(rig);
        moveRing(rig, DEFLATE, gone.gpa());
        rig.settle();
        assertFalse(rig.needsReset());

        if (seen) {
            rig.mmio.detach(gone);
        } else {
            // As a device beside this one does, on the same RAM.
            rig.ram.memory().detach(gone);
        }
        saveAndRestore(rig);

        assertTrue(rig.needsReset());
        assertTrue(rig.takeCauses() != 0, "the driver is told");
        assertWorksAfterAReset(rig);
    }

    /** The driver gives a queue another place: all three parts in one page. */
    private static void moveRing(BalloonRig rig, int queue, long gpa) {
        rig.stop(queue);
        rig.mmio.store(MmioRegister.QUEUE_SIZE.offset(), 4, 16);
        long[] parts = {gpa, gpa + 16 * 16, gpa + 1024};
        MmioRegister[] registers = {
            MmioRegister.QUEUE_DESC_LOW,
            MmioRegister.QUEUE_DRIVER_LOW,
            MmioRegister.QUEUE_DEVICE_LOW
        };
        for (int part = 0; part < parts.length; part++) {
            rig.mmio.store(registers[part].offset(), 4, parts[part]);
        }
        rig.mmio.store(MmioRegister.QUEUE_READY.offset(), 4, 1);
    }

    @Test
    void pagesThatAreInTheBalloonStayInWhereTheirRamIsGone() throws SnapshotException {
        BalloonRig rig = rig(STEP_BY_STEP);
        RamRegion gone = behindTheHole(rig);
        rig.inflate((int) (gone.gpa() / GuestRam.PAGE), rig.data(0));

        rig.mmio.detach(gone);
        byte[] snapshot = rig.mmio.save();
        rig.mmio.attach(RamRegion.ofArray(gone.gpa(), new byte[GuestRam.PAGE]));
        rig.mmio.restore(snapshot);
        rig.settle();

        assertEquals(2, rig.device.ledgerPages());
        rig.deflate((int) (gone.gpa() / GuestRam.PAGE), rig.data(0));
        assertEquals(0, rig.device.ledgerPages());
        assertNull(rig.queues[DEFLATE].fault());
    }
}
