package io.aerostat.vmm.realguest;

import static io.aerostat.vmm.realguest.ServedGuest.assertNear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.stats.GuestStatistics;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.vm.BalloonControl;
import io.aerostat.vmm.vm.StatisticsOutcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What the balloon's driver says of a guest's memory, beside what the guest's kernel says. */
final class RealGuestStatisticsTest {
    private static final long NEAR_BYTES = 2 << 20;

    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    private static ServedGuest guest;

    @BeforeAll
    static void boot() throws Exception {
        guest = GUESTS.serve(BalloonFeature.STATS_VQ).boot(ServedGuests.SMALL).load();
    }

    @AfterEach
    void emptyTheBalloon() throws Exception {
        guest.inflateTo(0);
    }

    @Test
    void theyAreThoseOfMeminfo() throws Exception {
        for (long pages : new long[] {0, 5_000}) {
            guest.inflateTo(pages);

            GuestStatistics figures = ask();

            Map<String, Long> meminfo = guest.linux().meminfo();
            assertEquals(meminfo.get("MemTotal") << 10, value(figures, StatTag.MEMTOT));
            assertNear(meminfo.get("MemFree") << 10, value(figures, StatTag.MEMFREE), NEAR_BYTES);
            assertNear(
                    meminfo.get("MemAvailable") << 10, value(figures, StatTag.AVAIL), NEAR_BYTES);
            assertNear(meminfo.get("Cached") << 10, value(figures, StatTag.CACHES), NEAR_BYTES);
            assertEquals(0, value(figures, StatTag.SWAP_OUT));
        }
    }

    @Test
    void theyFollowTheGuest() throws Exception {
        long before = value(ask(), StatTag.MEMFREE);
        guest.run("dd if=/dev/zero of=/tmp/file bs=1M count=16");

        long filled = value(ask(), StatTag.MEMFREE);
        guest.run("rm /tmp/file");

        assertNear(16 << 20, before - filled, NEAR_BYTES);
        assertNear(before, value(ask(), StatTag.MEMFREE), NEAR_BYTES);
    }

    @Test
    void aPeriodBeginsAndEndsAtRunTime() throws Exception {
        BalloonControl control = guest.host().control();
        long before = guest.count(BalloonCounter.STATISTICS);

        control.statisticsPeriod(Duration.ofMillis(5));
        Await.until("many come", () -> guest.count(BalloonCounter.STATISTICS) >= before + 10);
        assertEquals(Duration.ofMillis(5), control.statisticsPeriod());
        control.statisticsPeriod(Duration.ZERO);

        // None unasked: the one on its way when the period ended comes before the next answer.
        ask();
        GuestStatistics last = ask();
        Await.until(
                "the last ones are old",
                () -> control.statisticsAge().orElseThrow().toMillis() >= 100);
        assertEquals(last, control.latestStatistics().orElseThrow());
    }

    @Test
    void theirAgeIsCountedFromTheAnswer() throws Exception {
        long askedNs = System.nanoTime();
        ask();

        long ageNs = guest.host().control().statisticsAge().orElseThrow().toNanos();

        assertTrue(ageNs >= 0 && ageNs <= System.nanoTime() - askedNs, "ageNs=" + ageNs);
    }

    private static GuestStatistics ask() throws Exception {
        StatisticsOutcome outcome =
                guest.host()
                        .control()
                        .statistics(Await.SOON)
                        .get(2 * Await.SOON.toSeconds(), TimeUnit.SECONDS);
        return assertInstanceOf(StatisticsOutcome.Answered.class, outcome).figures();
    }

    private static long value(GuestStatistics figures, StatTag tag) {
        return figures.value(tag).orElseThrow();
    }
}
