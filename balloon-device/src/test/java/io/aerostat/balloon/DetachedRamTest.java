package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.INFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.memory.RamRegion;
import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** A balloon with pages in RAM that is taken away from the guest. */
final class DetachedRamTest {
    private final BalloonRig rig = new BalloonRig();
    private final RamRegion region = rig.ram.memory().region(1);
    private final int page = (int) (region.gpa() / GuestRam.PAGE);

    @BeforeEach
    void start() {
        rig.start();
    }

    private RamRegion another() {
        return RamRegion.ofArray(region.gpa(), new byte[(int) region.length()]);
    }

    @Test
    void aPageThatIsNotThereDoesNotGoIntoTheBalloon() {
        rig.mmio.detach(region);

        rig.inflate(page, rig.data(0));

        assertEquals(1, rig.device.counters().get(BalloonCounter.PAGES_OUTSIDE_RAM));
        assertEquals(1, rig.device.ledgerPages());
        assertEquals(List.of(rig.range(0, 1)), rig.reclaimer.takeDiscards());
    }

    @Test
    void aPageThatIsInStaysInAndCanBeTakenOut() {
        rig.inflate(page);
        rig.mmio.detach(region);
        assertEquals(1, rig.device.ledgerPages());

        rig.deflate(page);

        assertEquals(0, rig.device.ledgerPages());
        assertEquals(1, rig.device.counters().get(BalloonCounter.PAGES_DEFLATED));
        assertEquals(0, rig.device.counters().get(BalloonCounter.PAGES_OUTSIDE_RAM));
    }

    @Test
    void nothingOfItIsInTheHostsMemory() {
        rig.inflate(page, rig.data(0));
        rig.reclaimer.resident(GuestRam.PAGE);
        AtomicLong before = new AtomicLong();
        AtomicLong after = new AtomicLong();

        rig.mmio.controller().execute(() -> before.set(rig.device.ballooned().verifiedBytes()));
        rig.settle();
        rig.mmio.detach(region);
        rig.mmio.controller().execute(() -> after.set(rig.device.ballooned().verifiedBytes()));
        rig.settle();

        assertEquals(0, before.get());
        assertEquals(GuestRam.PAGE, after.get());
    }

    @Test
    void pagesOfRamThatWasAttachedGoIn() {
        rig.mmio.detach(region);
        rig.mmio.attach(another());

        rig.inflate(page);

        assertEquals(1, rig.device.ledgerPages());
    }

    @Test
    void aRequestThatLiesInItNeedsAReset() {
        rig.offer(INFLATE, region.gpa(), 4, false);
        rig.mmio.detach(region);
        rig.kick(INFLATE);
        rig.settle();

        assertEquals(0x40, rig.mmio.load(0x70, 4) & 0x40);
        assertEquals(0, rig.device.ledgerPages());
    }

    @Test
    void aRequestThatRestsInItIsAppliedNoFurther() {
        BalloonRig slow = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(2)).start();
        RamRegion there = slow.ram.memory().region(1);
        for (int i = 0; i < 8; i++) {
            slow.ram.putLe32(there.gpa() + 4L * i, slow.data(i));
        }
        slow.offer(INFLATE, there.gpa(), 32, false);
        slow.kick(INFLATE);
        slow.poll();
        long applied = slow.device.ledgerPages();
        assertTrue(applied > 0 && applied < 8);

        slow.mmio.detach(there);
        slow.settle();

        assertEquals(applied, slow.device.ledgerPages());
        assertEquals(0x40, slow.mmio.load(0x70, 4) & 0x40);
    }

    @Test
    void aRequestThatRestsInItGoesOnIfTheRamMoves() {
        BalloonRig slow = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(2)).start();
        RamRegion there = slow.ram.memory().region(1);
        for (int i = 0; i < 8; i++) {
            slow.ram.putLe32(there.gpa() + 4L * i, slow.data(i));
        }
        byte[] copy = slow.ram.bytes(there.gpa(), GuestRam.PAGE);
        slow.offer(INFLATE, there.gpa(), 32, false);
        slow.kick(INFLATE);
        slow.poll();

        slow.mmio
                .controller()
                .betweenPasses(
                        () -> {
                            slow.ram.memory().detach(there);
                            slow.ram.memory().attach(RamRegion.ofArray(there.gpa(), copy));
                        });
        slow.settle();

        assertEquals(8, slow.device.ledgerPages());
        assertEquals(1, slow.reap(INFLATE));
    }

    @Test
    void theReclaimerIsToldThatRamCameOrWent() {
        rig.mmio.detach(region);
        assertEquals(1, rig.reclaimer.memoryChanges());

        rig.mmio.attach(another());

        assertEquals(2, rig.reclaimer.memoryChanges());
    }
}
