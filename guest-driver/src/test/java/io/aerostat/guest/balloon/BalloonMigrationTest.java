package io.aerostat.guest.balloon;

import static io.aerostat.guest.balloon.ScriptedBalloon.DEFLATE;
import static io.aerostat.guest.balloon.ScriptedBalloon.INFLATE;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.guest.balloon.BalloonDriver.State;
import io.aerostat.virtio.spec.MmioRegister;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** Pages of the balloon that give their place to others. */
final class BalloonMigrationTest {
    private static final long ACTUAL =
            MmioRegister.CONFIG_OFFSET + BalloonConfigLayout.ACTUAL_OFFSET;

    private static BalloonRig withPages(int pages) {
        return BalloonRig.with(BalloonFeature.MUST_TELL_HOST).inflatedTo(pages);
    }

    /** A page of the balloon. */
    private static int ballooned(BalloonRig rig, int index) {
        return rig.device.log(INFLATE).get(0).pfns()[index];
    }

    @Test
    void inflatesOnePageThenDeflatesTheOther() {
        BalloonRig rig = withPages(300);
        int old = ballooned(rig, 7);
        int inflates = rig.device.log(INFLATE).size();

        boolean started = rig.driver.migrate(old);
        rig.step();
        List<BalloonRequest> first = rig.device.waiting();
        rig.settle();

        assertTrue(started);
        assertEquals(1, first.size());
        assertEquals(1, first.get(0).pages());
        assertEquals(inflates + 1, rig.device.log(INFLATE).size());
        assertArrayEquals(new int[] {old}, rig.device.pfns(DEFLATE));
        assertEquals(1, rig.driver.counters().get(DriverCounter.PAGES_MIGRATED));
    }

    @Test
    @DisplayName("BALLOON-DRV-12, -13: the old page goes only when the new one is confirmed")
    void keepsTheOldPageUntilTheNewOneIsConfirmed() {
        BalloonRig rig = withPages(300);
        int old = ballooned(rig, 7);
        long free = rig.pages.freePages();

        rig.driver.migrate(old);
        for (int step = 0; step < 5; step++) {
            rig.step();
        }

        assertEquals(0, rig.device.log(DEFLATE).size());
        assertEquals(free - 1, rig.pages.freePages());
    }

    @Test
    void ownsTheNewPageInThePlaceOfTheOld() {
        BalloonRig rig = withPages(300);
        int old = ballooned(rig, 7);
        boolean before = rig.driver.owns(old);
        rig.driver.migrate(old);
        rig.step();
        int other = rig.device.waiting(INFLATE).get(0).pfns()[0];
        boolean during = rig.driver.owns(old) || rig.driver.owns(other);

        rig.settle();

        assertTrue(before);
        assertFalse(during);
        assertFalse(rig.driver.owns(old));
        assertTrue(rig.driver.owns(other));
    }

    @Test
    @DisplayName("BALLOON-DRV-14: the number of pages does not change, actual is not written")
    void looksTheSameFromOutside() {
        BalloonRig rig = withPages(300);
        rig.bus.clear();
        rig.driver.migrate(ballooned(rig, 7));

        for (int step = 0; step < 6; step++) {
            rig.step();
            assertEquals(300, rig.driver.balloonedPages());
            rig.device.confirmAll();
        }

        assertEquals(List.of(), rig.bus.stores(ACTUAL));
        assertEquals(300, rig.driver.inPossession());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 5, Integer.MAX_VALUE})
    void refusesPagesThatAreNotInTheBalloon(int pfn) {
        BalloonRig rig = withPages(10);

        assertFalse(rig.driver.migrate(pfn));
        assertFalse(rig.driver.owns(pfn));
    }

    @Test
    void movesAPageOnceAtATime() {
        BalloonRig rig = withPages(300);
        int old = ballooned(rig, 7);

        boolean first = rig.driver.migrate(old);
        boolean second = rig.driver.migrate(old);

        assertTrue(first);
        assertFalse(second);
    }

    @Test
    void movesAsManyAtATimeAsThereAreRequests() {
        BalloonRig rig = withPages(200);

        int started = 0;
        while (rig.driver.migrate(ballooned(rig, started))) {
            started++;
        }

        assertEquals(4, started);
    }

    @Test
    void startsNothingWithoutAPageToTake() {
        BalloonRig rig = withPages(300);
        rig.pressure.refuseAfter(0);

        boolean started = rig.driver.migrate(ballooned(rig, 0));
        rig.pressure.refuseAfter(Long.MAX_VALUE);
        boolean later = rig.driver.migrate(ballooned(rig, 0));

        assertFalse(started);
        assertTrue(later);
    }

    @Test
    void startsNothingWhileItIsRemovedOrDown() {
        BalloonRig rig = withPages(300);
        int page = ballooned(rig, 0);
        rig.driver.remove();

        boolean removing = rig.driver.migrate(page);
        rig.settle();
        boolean down = rig.driver.migrate(page);

        assertFalse(removing || down);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 299, 301, 900})
    void reachesATargetThatChangesMeanwhile(int target) {
        BalloonRig rig = withPages(300);
        for (int page = 0; page < 4; page++) {
            rig.driver.migrate(ballooned(rig, page));
        }

        rig.device.target(target);
        rig.settle();

        assertEquals(target, rig.device.actual());
        assertEquals(target, rig.device.confirmedPages());
        assertEquals(4, rig.driver.counters().get(DriverCounter.PAGES_MIGRATED));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void losesNoPageInAResetAtAnyStage(int confirmations) {
        BalloonRig rig = withPages(300);
        for (int page = 0; page < 3; page++) {
            rig.driver.migrate(ballooned(rig, page));
        }
        for (int i = 0; i < confirmations; i++) {
            rig.step();
            rig.device.confirm(rig.device.waiting().subList(0, 1));
        }

        rig.device.needReset();
        rig.step();

        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void losesNoPageWhenItIsRemoved() {
        BalloonRig rig = withPages(300);
        rig.driver.migrate(ballooned(rig, 0));

        rig.driver.remove();
        rig.settle();

        assertEquals(State.DOWN, rig.driver.state());
        assertEquals(BalloonRig.RAM_PAGES, rig.pages.freePages());
    }

    @Test
    void waitsForADeflateRequestWhenAllAreOut() {
        BalloonRig rig = withPages(1400);
        rig.driver.migrate(ballooned(rig, 255));
        rig.device.target(0);
        rig.step();
        BalloonRequest arriving = rig.device.waiting(INFLATE).get(0);

        rig.device.confirm(arriving);
        rig.step();
        int waiting = rig.device.waiting(DEFLATE).size();
        rig.settle();

        assertEquals(4, waiting);
        assertEquals(0, rig.device.actual());
        assertEquals(1, rig.driver.counters().get(DriverCounter.PAGES_MIGRATED));
    }
}
