package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;
import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Nothing counts and nothing is used before the device has confirmed it. */
final class BalloonConfirmationTest {
    private static final long ACTUAL =
            MmioRegister.CONFIG_OFFSET + BalloonConfigLayout.ACTUAL_OFFSET;

    @Test
    @DisplayName("BALLOON-DESC-11, -DRV-14: actual stays until the device has confirmed")
    void doesNotCountAPageThatIsOnItsWayIn() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(300);

        rig.step();
        rig.step();

        assertEquals(0, rig.device.actual());
        assertEquals(300, rig.driver.inPossession());
        assertEquals(0, rig.driver.balloonedPages());
    }

    @Test
    @DisplayName("BALLOON-DESC-11: a page leaves actual when its deflate request is confirmed")
    void countsAPageUntilItsDeflateIsConfirmed() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.target(0);

        rig.step();
        rig.step();
        long before = rig.device.actual();
        rig.device.confirmAll();
        rig.step();

        assertEquals(300, before);
        assertEquals(0, rig.device.actual());
    }

    @Test
    @DisplayName("BALLOON-DRV-14: actual is what was confirmed, request by request")
    void writesActualAsConfirmationsCome() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(600);
        rig.step();
        rig.bus.clear();

        for (BalloonRequest request : rig.device.waiting()) {
            rig.device.confirm(request);
            rig.step();
        }

        assertEquals(List.of(256L, 512L, 600L), rig.bus.stores(ACTUAL));
    }

    @Test
    @DisplayName("BALLOON-DRV-15: one write of actual covers several confirmations")
    void writesActualOnceForSeveralConfirmations() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(600);
        rig.step();
        rig.bus.clear();

        rig.device.confirmAll();
        rig.step();
        rig.step();

        assertEquals(List.of(600L), rig.bus.stores(ACTUAL));
    }

    @Test
    @DisplayName("BALLOON-DRV-15: one write covers both queues, and none if they make up")
    void writesActualOnceForBothQueues() {
        BalloonRig rig = new BalloonRig().inflatedTo(300);
        rig.device.target(200);
        rig.step();
        rig.device.target(260);
        rig.step();
        rig.bus.clear();

        rig.device.confirmAll();
        rig.step();

        assertEquals(List.of(260L), rig.bus.stores(ACTUAL));
    }

    @Test
    @DisplayName("BALLOON-DRV-12: a page that was named is not the guest's before a confirmation")
    void givesNothingBackWhileAnInflateIsInFlight() {
        BalloonRig rig = new BalloonRig().started();
        long free = rig.pages.freePages();
        rig.device.target(300);
        rig.step();

        rig.device.target(0);
        rig.step();
        rig.step();

        assertEquals(free - 300, rig.pages.freePages());
        assertEquals(0, rig.device.log(DEFLATE).size());
    }

    @ParameterizedTest
    @ValueSource(longs = {ScriptedBalloon.OFFER, Feature.VERSION_1})
    @DisplayName("BALLOON-DRV-10: nor before its deflate is confirmed, MUST_TELL_HOST or not")
    void givesNothingBackBeforeTheDeflateIsConfirmed(long offered) {
        BalloonRig rig =
                new BalloonRig(BalloonRig.OPTIONS, offered, BalloonConfigLayout.LENGTH)
                        .inflatedTo(300);
        long free = rig.pages.freePages();
        rig.device.target(0);

        rig.step();
        rig.step();
        long before = rig.pages.freePages();
        rig.device.confirmAll();
        rig.step();

        assertEquals(free, before);
        assertEquals(free + 300, rig.pages.freePages());
    }

    @Test
    @DisplayName("BALLOON-DRV-13: only a page whose inflate is confirmed is deflated")
    void deflatesOnlyWhatWasConfirmedWhenConfirmationsComeOutOfOrder() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(600);
        rig.step();
        BalloonRequest second = rig.device.waiting().get(1);
        rig.device.confirm(second);

        rig.device.target(0);
        rig.step();

        assertArrayEquals(sorted(second.pfns()), sorted(rig.device.pfns(DEFLATE)));
    }

    @Test
    void takesConfirmationsInAnyOrder() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(900);
        rig.step();
        List<BalloonRequest> backwards = new ArrayList<>(rig.device.waiting());
        Collections.reverse(backwards);

        rig.device.confirm(backwards);
        rig.step();

        assertEquals(900, rig.device.actual());
    }

    @Test
    void waitsForALateConfirmationAndGoesOnMeanwhile() {
        BalloonRig rig = new BalloonRig().started();
        rig.device.target(1300);
        rig.step();
        BalloonRequest late = rig.device.waiting().get(0);

        for (int round = 0; round < 10; round++) {
            rig.device.confirm(rig.device.waiting().stream().filter(r -> r != late).toList());
            rig.step();
        }

        assertEquals(List.of(late), rig.device.waiting());
        assertEquals(1300 - late.pages(), rig.device.actual());
    }

    @Test
    void trustsItsOwnListAndNotTheBufferThatTheDeviceHasSeen() {
        BalloonRig rig = new BalloonRig().inflatedTo(200);
        long free = rig.pages.freePages();
        rig.device.target(0);
        rig.step();
        BalloonRequest request = rig.device.waiting(DEFLATE).get(0);

        rig.ram.fill(request.gpa(), 4L * request.pages(), 0xFF);
        rig.device.confirm(request);
        rig.step();

        assertEquals(free + 200, rig.pages.freePages());
    }

    @Test
    @DisplayName("BALLOON-DRV-07: the driver deflates for the host alone, not for itself")
    void deflatesNothingWhenTheGuestRunsShortOfPages() {
        BalloonRig rig = new BalloonRig().inflatedTo(500);

        rig.takeByOthers((int) rig.pages.freePages());
        rig.settle();
        rig.waitForRetry();
        rig.settle();

        assertEquals(0, rig.device.log(DEFLATE).size());
        assertEquals(500, rig.driver.balloonedPages());
    }

    @Test
    void usesAPageAgainAfterItsDeflateIsConfirmed() {
        BalloonRig rig = new BalloonRig().inflatedTo(500);
        rig.takeByOthers((int) rig.pages.freePages());
        int before = rig.device.pfns(INFLATE).length;

        rig.device.target(400);
        rig.settle();
        rig.device.target(500);
        rig.settle();

        assertEquals(before + 100, rig.device.pfns(INFLATE).length);
        assertTrue(rig.device.holds(rig.device.pfns(DEFLATE)[0]));
        assertFalse(rig.driver.isOutOfPages());
    }

    private static int[] sorted(int[] pfns) {
        int[] copy = pfns.clone();
        Arrays.sort(copy);
        return copy;
    }

    @Test
    @DisplayName("BALLOON-DESC-09: requests are le32 arrays of guest address / 4096")
    void namesAPageByItsAddressIn4KiBUnits() {
        BalloonRig rig = new BalloonRig().started();
        rig.takeByOthers((int) rig.pages.freePages());
        int onlyFree = rig.lastTakenByOthers();
        rig.freeByOthers(1);

        rig.device.target(1);
        rig.step();

        BalloonRequest request = rig.device.waiting().get(0);
        byte[] le32 = {(byte) onlyFree, (byte) (onlyFree >>> 8), (byte) (onlyFree >>> 16), 0};
        assertArrayEquals(le32, rig.ram.bytes(request.gpa(), 4));
    }
}
