package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.vm.StatisticsOutcome;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Free memory that comes back to the host without a target. */
final class RealGuestReportingTest {
    private static final long PLAIN = BalloonFeature.PAGE_REPORTING;
    private static final long WITH_STATISTICS = PLAIN | BalloonFeature.STATS_VQ;
    private static final long USUAL = WITH_STATISTICS | BalloonFeature.FREE_PAGE_HINT;

    /** Linux reports two seconds after memory was freed. */
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    /** The driver's queue of reports has number 2, 3 or 4. */
    @ParameterizedTest
    @ValueSource(longs = {PLAIN, WITH_STATISTICS, USUAL})
    void memoryThatWasWrittenAndFreedComesBack(long features) throws Exception {
        ServedGuest guest = GUESTS.serve(features).boot(ServedGuests.USUAL).load();
        guest.run("dd if=/dev/urandom of=/tmp/kept bs=1M count=8");
        String sum = guest.run("sha1sum /tmp/kept").get(0);
        guest.run("dd if=/dev/zero of=/tmp/dirt bs=1M count=100");
        long written = guest.residentBytes();
        guest.run("rm /tmp/dirt");

        Await.until(
                "the host has it back",
                DEADLINE,
                () -> written - guest.residentBytes() >= 90 << 20);

        Await.until(
                "the reports are returned",
                () ->
                        guest.count(BalloonCounter.BYTES_REPORTED) >= 90 << 20
                                && guest.count(BalloonCounter.REPORTS) > 0);
        assertEquals(0, guest.count(BalloonCounter.PAGES_INFLATED));
        assertEquals(sum, guest.run("sha1sum /tmp/kept").get(0));
        // What was reported is the guest's to use again, and the other queues are where they were.
        guest.dirty(100);
        guest.inflateTo(20_000);
        guest.inflateTo(0);
        assertEquals((features & BalloonFeature.STATS_VQ) != 0, answersStatistics(guest));
        guest.assertHonest();
    }

    /** UML's driver does not take PAGE_POISON, and drops it in a second negotiation. */
    @Test
    void reportsComeFromADriverThatDropsAFeature() throws Exception {
        long features = BalloonOptions.ALL_FEATURES;
        ServedGuest guest = GUESTS.serve(features).boot(ServedGuests.USUAL).load();

        assertEquals(
                features & ~BalloonFeature.PAGE_POISON,
                guest.device().negotiatedFeatures() & BalloonOptions.ALL_FEATURES);
        Await.until("a report", DEADLINE, () -> guest.count(BalloonCounter.REPORTS) > 0);
        guest.inflateTo(2_000);
    }

    private static boolean answersStatistics(ServedGuest guest) throws Exception {
        StatisticsOutcome outcome =
                guest.host()
                        .control()
                        .statistics(Duration.ofSeconds(1))
                        .get(Await.SOON.toSeconds(), TimeUnit.SECONDS);
        return outcome instanceof StatisticsOutcome.Answered;
    }
}
