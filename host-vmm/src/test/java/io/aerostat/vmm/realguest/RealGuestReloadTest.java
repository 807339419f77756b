package io.aerostat.vmm.realguest;

import static io.aerostat.vmm.realguest.ServedGuest.assertNear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.vm.DriverState;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.StatisticsOutcome;

import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Drivers that come and go on one connection: one that drops a feature, and so never says when it
 * goes, and one that takes all, and does.
 */
final class RealGuestReloadTest {
    private static final long USUAL = BalloonOptions.ALL_FEATURES & ~BalloonFeature.DEFLATE_ON_OOM;
    private static final long WITHOUT_POISON = USUAL & ~BalloonFeature.PAGE_POISON;

    private static final int RELOADS = 4;

    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    @ParameterizedTest
    @ValueSource(longs = {USUAL, WITHOUT_POISON})
    void aDriverMayBeUnloadedAndLoadedAgain(long features) throws Exception {
        ServedGuest guest = GUESTS.serve(features).boot(ServedGuests.SMALL);
        for (int round = 1; round <= RELOADS; round++) {
            guest.load();
            guest.inflateTo(1_000L * round);
            guest.inflateTo(500);

            unload(guest);

            guest.target(0, Duration.ZERO).get(Await.SOON.toSeconds(), TimeUnit.SECONDS);
            assertEquals(0, guest.device().actualPages());
            assertEquals(
                    guest.count(BalloonCounter.PAGES_INFLATED),
                    guest.count(BalloonCounter.PAGES_DEFLATED));
            assertEquals(0, guest.count(BalloonCounter.PAGES_RETURNED_BY_RESET));
            guest.assertHonest();
        }
        guest.load();
        guest.inflateTo(0);
    }

    @ParameterizedTest
    @ValueSource(longs = {USUAL, WITHOUT_POISON})
    void nothingWritesWhereTheRingsWere(long features) throws Exception {
        ServedGuest guest = GUESTS.serve(features).boot(ServedGuests.SMALL).load();
        guest.host().control().statisticsPeriod(Duration.ofMillis(5));
        Await.until("statistics come", () -> guest.count(BalloonCounter.STATISTICS) >= 5);
        unload(guest);
        long statistics = guest.count(BalloonCounter.STATISTICS);

        // The guest fills all that is free, ring memory included, while the host asks for more.
        long mebibytes = (guest.freeBytes() >> 20) - 12;
        guest.run("dd if=/dev/zero of=/tmp/zeros bs=1M count=" + mebibytes);
        SetMemoryOutcome resized = ServedGuest.outcome(guest.target(1_000, Duration.ofMillis(200)));
        StatisticsOutcome asked =
                guest.host()
                        .control()
                        .statistics(Duration.ofMillis(200))
                        .get(Await.SOON.toSeconds(), TimeUnit.SECONDS);
        guest.device().hinting().start();
        List<String> differences =
                guest.run(
                        "head -c " + (mebibytes << 20) + " /dev/zero | cmp - /tmp/zeros; echo $?");

        assertEquals(List.of("0"), differences);
        assertEquals(
                Reason.NO_DRIVER,
                assertInstanceOf(SetMemoryOutcome.Stalled.class, resized).reason());
        assertInstanceOf(StatisticsOutcome.Unanswered.class, asked);
        assertEquals(statistics, guest.count(BalloonCounter.STATISTICS));
        assertEquals(DriverState.ABSENT, guest.host().driver());
        guest.run("rm /tmp/zeros");
        // And all goes on with the next driver, asked for or not.
        guest.load();
        Await.until("the target stood", () -> guest.ledgerPages() == 1_000);
        Await.until("so did the period", () -> guest.count(BalloonCounter.STATISTICS) > statistics);
    }

    private static void unload(ServedGuest guest) throws Exception {
        long free = guest.freeBytes();
        long pages = guest.ledgerPages();

        guest.linux().unloadBalloon();

        Await.until("the driver is gone", () -> guest.host().driver() == DriverState.ABSENT);
        assertEquals(0, guest.ledgerPages());
        assertNear(pages << PageFrame.SHIFT, guest.freeBytes() - free, 2 << 20);
    }
}
