package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.List;

/** A guest that fills its free pages, and what it tells the host of that. */
final class BalloonPoisonTest {
    private static final int RUBBISH = 0xA5;
    private static final long POISON =
            MmioRegister.CONFIG_OFFSET + BalloonConfigLayout.POISON_VAL_OFFSET;

    @Test
    @DisplayName("BALLOON-DRV-02: PAGE_POISON is left out by a guest that does not fill pages")
    void leavesPoisonOutUnlessTheGuestFillsPages() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.PAGE_POISON).started();

        assertEquals(0, rig.driver.features() & BalloonFeature.PAGE_POISON);
        assertEquals(List.of(), rig.bus.stores(POISON));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0xAAAA_AAAA, 0x1234_5678, -1})
    @DisplayName("BALLOON-DESC-17, DRV-35: poison_val is written before DRIVER_OK")
    void writesItsValueBeforeDriverOk(int fill) {
        BalloonRig rig = BalloonRig.filling(fill, BalloonFeature.PAGE_POISON).started();

        int written =
                rig.bus
                        .accesses()
                        .indexOf(
                                new RegisterLog.Access(true, POISON, Integer.toUnsignedLong(fill)));
        assertTrue(written >= 0, "written at " + written);
        assertTrue(written < rig.bus.indexOfStore(MmioRegister.STATUS, 15));
        assertEquals(fill, rig.device.poison());
    }

    @Test
    @DisplayName("BALLOON-DRV-36: poison_val is written once")
    void leavesTheValueAloneWhileTheDeviceIsLive() {
        BalloonRig rig = BalloonRig.filling(7, BalloonFeature.PAGE_POISON).inflatedTo(300);
        rig.device.target(0);
        rig.settle();

        rig.driver.remove();
        rig.settle();

        assertEquals(List.of(7L), rig.bus.stores(POISON));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0xAAAA_AAAA, 0x1234_5678})
    @DisplayName("BALLOON-DRV-34: pages that come out of the balloon are filled")
    void fillsDeflatedPages(int fill) {
        BalloonRig rig = BalloonRig.filling(fill, BalloonFeature.PAGE_POISON).inflatedTo(300);
        rig.ram.fill(rig.ram.base() + (64 << 12), 1000 << 12, RUBBISH);

        rig.device.target(0);
        rig.settle();

        int[] deflated = rig.device.pfns(DEFLATE);
        assertEquals(300, deflated.length);
        assertTrue(Arrays.stream(deflated).allMatch(pfn -> rig.isFilled(pfn, fill)));
    }

    @Test
    void fillsPagesThatComeBackByAReset() {
        BalloonRig rig = BalloonRig.filling(9, BalloonFeature.PAGE_POISON).inflatedTo(300);
        int[] inflated = rig.device.pfns(ScriptedBalloon.INFLATE);
        rig.ram.fill(rig.ram.base() + (64 << 12), 1000 << 12, RUBBISH);

        rig.device.needReset();
        rig.step();

        assertTrue(Arrays.stream(inflated).allMatch(pfn -> rig.isFilled(pfn, 9)));
    }

    @Test
    void fillsPagesEvenIfTheHostIsNotTold() {
        BalloonRig rig = BalloonRig.filling(9, 0).inflatedTo(300);

        rig.device.target(0);
        rig.settle();

        int[] deflated = rig.device.pfns(DEFLATE);
        assertTrue(Arrays.stream(deflated).allMatch(pfn -> rig.isFilled(pfn, 9)));
    }

    @Test
    void leavesPagesAloneForAGuestThatDoesNotFill() {
        BalloonRig rig = BalloonRig.with(BalloonFeature.PAGE_POISON).inflatedTo(300);
        int page = rig.device.pfns(ScriptedBalloon.INFLATE)[0];
        rig.ram.fill((long) page << 12, 4096, RUBBISH);

        rig.device.target(0);
        rig.settle();

        assertTrue(rig.isFilled(page, 0xA5A5_A5A5));
    }
}
