package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A guest that is out of memory asks its balloon for some. */
final class BalloonOomTest {
    private static BalloonRig oom() {
        return BalloonRig.with(BalloonFeature.DEFLATE_ON_OOM | BalloonFeature.MUST_TELL_HOST);
    }

    @Test
    @DisplayName("BALLOON-DRV-07: no page comes back without DEFLATE_ON_OOM")
    void sendsNothingBackUnlessNegotiated() {
        BalloonRig rig = BalloonRig.without(BalloonFeature.DEFLATE_ON_OOM).inflatedTo(700);

        long sent = rig.driver.deflateOnOom(256);
        rig.settle();

        assertEquals(0, sent);
        assertEquals(0, rig.device.log(DEFLATE).size());
    }

    @Test
    @DisplayName("BALLOON-DRV-08, -09: pages come back at once, through the deflate queue")
    void sendsPagesBackWhateverTheTarget() {
        BalloonRig rig = oom().inflatedTo(700);

        long sent = rig.driver.deflateOnOom(256);
        rig.poll();

        assertEquals(256, sent);
        assertEquals(256, rig.device.waiting(DEFLATE).get(0).pages());
        assertEquals(256, rig.driver.counters().get(DriverCounter.PAGES_DEFLATED_ON_OOM));
    }

    @Test
    @DisplayName("BALLOON-DRV-10: pages are not used before the device has confirmed")
    void waitsForTheConfirmation() {
        BalloonRig rig = oom().inflatedTo(700);
        long before = rig.pages.freePages();
        rig.driver.deflateOnOom(256);
        rig.step();
        long unconfirmed = rig.pages.freePages();

        rig.device.confirmAll();
        rig.step();

        assertEquals(before, unconfirmed);
        assertEquals(before + 256, rig.pages.freePages());
    }

    @Test
    @DisplayName("BALLOON-DRV-14: actual is written though the target has not changed")
    void writesActual() {
        BalloonRig rig = oom().inflatedTo(700);

        rig.driver.deflateOnOom(256);
        rig.settle();

        assertEquals(444, rig.device.actual());
    }

    @Test
    void sendsNoMoreThanThereIs() {
        BalloonRig rig = oom().inflatedTo(100);

        long sent = rig.driver.deflateOnOom(256);
        long more = rig.driver.deflateOnOom(256);

        assertEquals(100, sent);
        assertEquals(0, more);
    }

    @Test
    void sendsNoMoreThanThereAreRequestsFor() {
        BalloonRig rig = oom().inflatedTo(1400);

        long sent = rig.driver.deflateOnOom(1400);

        assertEquals(4 * 256, sent);
    }

    @Test
    void doesNotInflateAgainBeforeThePauseIsOver() {
        BalloonRig rig = oom().inflatedTo(700);
        rig.driver.deflateOnOom(256);
        rig.settle();
        rig.nowNs += BalloonRig.PRESSURE_NS - 1;
        rig.settle();
        long paused = rig.device.actual();

        rig.nowNs += 1;
        rig.settle();

        assertEquals(444, paused);
        assertEquals(700, rig.device.actual());
    }

    @Test
    void inflatesAgainOnlyAsFarAsTheGuestHasPages() {
        BalloonRig rig = oom().inflatedTo(700);
        rig.driver.deflateOnOom(256);
        rig.settle();
        rig.takeByOthers((int) rig.pages.freePages() - 56);

        rig.nowNs += BalloonRig.PRESSURE_NS;
        rig.settle();

        assertEquals(500, rig.device.actual());
    }

    @Test
    void stillFollowsATargetDownDuringThePause() {
        BalloonRig rig = oom().inflatedTo(700);
        rig.driver.deflateOnOom(256);
        rig.settle();

        rig.device.target(100);
        rig.settle();

        assertEquals(100, rig.device.actual());
    }

    @Test
    void hasNothingToGiveWithoutADevice() {
        BalloonRig rig = oom();

        long sent = rig.driver.deflateOnOom(256);

        assertEquals(0, sent);
        assertThrows(IllegalArgumentException.class, () -> rig.driver.deflateOnOom(-1));
        assertThrows(IllegalArgumentException.class, () -> rig.driver.releaseHinted(-1));
    }
}
