package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.linux.LinuxGuestOptions;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A guest that runs out of memory, and may take pages back. */
final class RealGuestInNeedTest {
    private static final LinuxGuestOptions MEMORY = LinuxGuestOptions.of(128L << 20);
    private static final int HOG_MEBIBYTES = 48;

    /** How long the device leaves a guest in need alone. */
    private static final Duration HOLD = Duration.ofMillis(300);

    /** A fall so soon after a target may be what an earlier one asked for, and does not count. */
    private static final Duration GRACE = Duration.ofMillis(1_300);

    private static final BalloonOptions OPTIONS =
            BalloonOptions.DEFAULT
                    .withFeatures(BalloonFeature.STATS_VQ | BalloonFeature.DEFLATE_ON_OOM)
                    .withOomHoldNs(HOLD.toNanos());

    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    @Test
    void itTakesPagesBackAndGivesThemAgainLater() throws Exception {
        ServedGuest guest = GUESTS.serve(OPTIONS).boot(MEMORY).load();
        long ram = guest.host().control().attached().orElseThrow().maximum().pages();
        CompletableFuture<SetMemoryOutcome> promise =
                guest.target(ram - 1_024, Duration.ofSeconds(5));
        Await.untilStill("the balloon", GRACE, guest::ledgerPages);
        long most = guest.ledgerPages();
        assertTrue(guest.device().targetPages() > most, "target=" + guest.device().targetPages());

        guest.run("dd if=/dev/zero of=/tmp/hog bs=1M count=" + HOG_MEBIBYTES);

        long taken = guest.count(BalloonCounter.PAGES_TAKEN_BACK);
        assertTrue(taken >= (HOG_MEBIBYTES - 12) << 8, "pagesTakenBack=" + taken);
        assertEquals(0, guest.linux().vmstat().get("oom_kill"));
        SetMemoryOutcome.Partial partial =
                assertInstanceOf(SetMemoryOutcome.Partial.class, ServedGuest.outcome(promise));
        assertSame(Reason.TAKEN_BACK, partial.reason());
        assertTrue(partial.balloon().pages() < most, partial + ", most=" + most);

        long least = guest.ledgerPages();
        guest.run("rm /tmp/hog");
        Await.until(
                "it inflates again", () -> guest.ledgerPages() >= least + ((most - least) * 3 / 4));
        guest.inflateTo(0);
    }
}
