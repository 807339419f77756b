package io.aerostat.balloon.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.embedding.flat.FlatMachine;
import io.aerostat.balloon.embedding.guest.BalloonProgram;
import io.aerostat.balloon.embedding.guest.GuestMap;
import io.aerostat.balloon.embedding.guest.Habits;
import io.aerostat.balloon.embedding.guest.VirtioMmio;
import io.aerostat.balloon.embedding.machine.LatchingController;
import io.aerostat.balloon.embedding.machine.Processor;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.reclaim.NoReclaim;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.snapshot.SnapshotException;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** RAM that is plugged into host (a) while it runs, and taken away under its guest's hands. */
final class HotplugTest {
    private static final long SLOT = FlatMachine.SLOT_BASE;
    private static final int SLOT_PAGES = FlatMachine.SLOT_BYTES / GuestMap.PAGE;
    private static final byte[] PATTERN = new byte[FlatMachine.SLOT_BYTES];

    static {
        Arrays.fill(PATTERN, (byte) 0x5A);
    }

    private final FlatExample example = new FlatExample(Habits.LINUX, new LatchingController());
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(FlatMachine.SLOT_BYTES);

    private RamRegion plug() {
        return plug(example, buffer);
    }

    private static RamRegion plug(FlatExample machine, ByteBuffer buffer) {
        RamRegion region = RamRegion.ofBuffer(SLOT, buffer);
        machine.machine().plug(SLOT, buffer);
        machine.adapter().registers().attach(region);
        return region;
    }

    private void unplug(RamRegion region) {
        example.adapter().registers().detach(region);
        example.machine().unplug(SLOT);
        buffer.put(0, PATTERN);
    }

    /** One with the same RAM, but nothing in its slot. */
    private FlatExample anotherMachine() {
        ByteBuffer ram = copyOf(example.machine().ram());
        return new FlatExample(
                ram, Habits.LINUX, new LatchingController(), memory -> new NoReclaim());
    }

    private static ByteBuffer copyOf(ByteBuffer bytes) {
        return ByteBuffer.allocateDirect(bytes.capacity()).put(0, bytes, 0, bytes.capacity());
    }

    private void assertBufferUntouched() {
        assertEquals(-1, buffer.mismatch(ByteBuffer.wrap(PATTERN)), "first offset that differs");
    }

    private long count(BalloonCounter counter) {
        return example.balloon().counters().get(counter);
    }

    @Test
    void pagesOfTheEmptySlotAreNoPages() {
        example.boot();
        long request = example.map().firstPage();
        example.bus().store(request, 4, SLOT >>> 12);

        example.guest().inflateFrom(request, 4);
        example.settle();

        assertEquals(1, count(BalloonCounter.PAGES_OUTSIDE_RAM));
        assertEquals(0, example.balloon().ledgerPages());
    }

    @Test
    void pagesOfRamThatCameLaterGoIntoTheBalloon() {
        example.boot();
        plug();
        example.guest().addRam(SLOT, SLOT_PAGES);

        example.inflateTo(SLOT_PAGES);

        for (int i = 0; i < SLOT_PAGES; i++) {
            assertEquals((SLOT >>> 12) + i, example.guest().balloonedPage(i));
        }
        assertEquals(SLOT_PAGES, example.balloon().ledgerPages());
        assertEquals(0, example.balloon().counters().anomalies());
    }

    @Test
    void aGuestMayTakeItsPagesBackAfterTheirRamHasGone() {
        example.boot();
        RamRegion region = plug();
        example.guest().addRam(SLOT, SLOT_PAGES);
        example.inflateTo(SLOT_PAGES + 100);

        unplug(region);
        example.inflateTo(0);

        assertEquals(0, example.guest().balloonedPages());
        assertEquals(0, example.balloon().ledgerPages());
        assertEquals(0, example.balloon().counters().anomalies());
        assertBufferUntouched();
    }

    @Test
    void pagesThatHaveGoneAreNoPagesAnyMore() {
        example.boot();
        RamRegion region = plug();
        example.guest().addRam(SLOT, SLOT_PAGES);

        unplug(region);
        example.inflateTo(200);

        assertEquals(200, count(BalloonCounter.PAGES_OUTSIDE_RAM));
        assertEquals(0, example.balloon().ledgerPages());
        assertBufferUntouched();
    }

    @Test
    void aBufferInRamThatHasGoneIsNotRam() {
        example.boot();
        RamRegion region = plug();
        example.inflateTo(100);

        unplug(region);
        example.guest().inflateFrom(SLOT + GuestMap.PAGE, 64);
        example.settle();

        int status = (int) example.bus().load(example.map().window() + VirtioMmio.STATUS, 4);
        assertTrue((status & VirtioMmio.NEEDS_RESET) != 0);
        assertBufferUntouched();
    }

    @Test
    void aReportOfRamThatHasGoneTouchesNothing() {
        example.boot();
        RamRegion region = plug();

        unplug(region);
        example.guest().report(SLOT, 16);
        example.settle();

        assertBufferUntouched();
    }

    @Test
    void ringsInRamThatHasGoneAreNotTouchedHoweverOftenTheGuestKicks() {
        RamRegion region = plug();
        GuestMap map = example.map().withRings(SLOT);
        BalloonProgram guest = new BalloonProgram(example.bus(), map, Habits.LINUX);
        guest.boot();
        example.balloon().target(50);
        example.attendToBalloon();

        unplug(region);
        for (int i = 0; i < 100; i++) {
            guest.kickAll();
            example.balloon().target(i);
            example.balloon().statistics().request();
            example.attendToBalloon();
        }

        assertBufferUntouched();
        example.boot();
        example.inflateTo(300);
        assertEquals(300, example.balloon().ledgerPages());
    }

    @Test
    void otherRamMayComeWhereSomeHasGone() {
        example.boot();
        RamRegion region = plug();
        unplug(region);
        ByteBuffer other = ByteBuffer.allocateDirect(FlatMachine.SLOT_BYTES);
        example.machine().plug(SLOT, other);

        example.adapter().registers().attach(RamRegion.ofBuffer(SLOT, other));
        example.guest().addRam(SLOT, SLOT_PAGES);
        example.inflateTo(SLOT_PAGES);

        assertEquals(SLOT_PAGES, example.balloon().ledgerPages());
        assertEquals(0, example.balloon().counters().anomalies());
        assertBufferUntouched();
    }

    @Test
    void aRequestThatWaitsInRamThatHasGoneIsNotServed() {
        RamRegion region = plug();
        GuestMap map = example.map().withRings(SLOT);
        BalloonProgram guest = new BalloonProgram(example.bus(), map, Habits.LINUX);
        Processor processor = new Processor(example.interrupts(), guest);
        processor.reset();
        ByteBuffer[] before = new ByteBuffer[1];
        example.bus()
                .beforeStoreTo(
                        VirtioMmio.QUEUE_NOTIFY,
                        () -> {
                            example.adapter().registers().detach(region);
                            example.machine().unplug(SLOT);
                            before[0] = copyOf(buffer);
                        });

        example.balloon().target(100);
        assertTrue(example.machine().run(processor, 1_000));
        guest.kickAll();
        example.attendToBalloon();

        assertEquals(0, example.balloon().ledgerPages());
        assertEquals(before[0], buffer);
    }

    @Test
    void aMachineWithPluggedRamGoesOnAsAnotherOne() throws SnapshotException {
        example.boot();
        plug();
        example.guest().addRam(SLOT, SLOT_PAGES);
        example.inflateTo(SLOT_PAGES / 2);
        byte[] state = example.adapter().registers().save();

        FlatExample next = anotherMachine();
        plug(next, copyOf(buffer));
        next.adapter().registers().restore(state);

        assertEquals(SLOT_PAGES / 2, next.balloon().ledgerPages());
        next.inflateTo(SLOT_PAGES + 100);
        assertEquals(SLOT_PAGES + 100, next.balloon().ledgerPages());
        next.inflateTo(0);
        assertEquals(0, next.balloon().ledgerPages());
        assertEquals(0, next.balloon().counters().anomalies());
    }

    @Test
    void pluggedRamMayComeToTheOtherMachineAfterItsState() throws SnapshotException {
        example.boot();
        plug();
        example.guest().addRam(SLOT, SLOT_PAGES);
        example.inflateTo(SLOT_PAGES / 2);
        byte[] state = example.adapter().registers().save();

        FlatExample next = anotherMachine();
        next.adapter().registers().restore(state);
        plug(next, copyOf(buffer));

        next.inflateTo(SLOT_PAGES + 100);
        assertEquals(SLOT_PAGES + 100, next.balloon().ledgerPages());
        assertEquals(0, next.balloon().counters().anomalies());
    }
}
