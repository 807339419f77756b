package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.vmm.linux.CommandResult;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** Targets at random, while the guest writes files and checks them. */
final class RealGuestRandomTest {
    /** What the guest can give while it works. */
    private static final int MOST_PAGES = 40_000;

    private static final int LONGEST_PAUSE_MS = 50;

    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    @Test
    void filesStayWholeWhateverTheTarget() throws Exception {
        runFor(8);
    }

    @Test
    @Tag("long")
    void filesStayWholeWhateverTheTargetForLonger() throws Exception {
        runFor(30);
    }

    private static void runFor(int seconds) throws Exception {
        long seed = Seeds.first(1).findFirst().orElseThrow();
        ServedGuest guest = GUESTS.serve(BalloonOptions.DEFAULT).boot(ServedGuests.USUAL).load();
        guest.host().control().statisticsPeriod(Duration.ofMillis(20));
        CompletableFuture<CommandResult> work =
                CompletableFuture.supplyAsync(() -> writeAndCheck(guest, seconds));

        int targets = 0;
        Random random = new Random(seed);
        while (!work.isDone()) {
            var _ = guest.target(random.nextInt(MOST_PAGES), Await.SOON);
            targets++;
            LockSupport.parkNanos(random.nextInt(LONGEST_PAUSE_MS) * 1_000_000L);
        }

        CommandResult result = work.join();
        assertTrue(result.isSuccess(), () -> Seeds.replay(seed) + ": " + result);
        int rounds = Integer.parseInt(result.lines().getLast());
        assertTrue(rounds >= 2, "rounds=" + rounds);
        assertTrue(targets >= seconds * 10, "targets=" + targets);
        long inflated = guest.count(BalloonCounter.PAGES_INFLATED);
        assertTrue(inflated > 2 * MOST_PAGES, "inflated=" + inflated);
        guest.inflateTo(MOST_PAGES);
        guest.assertGivenBack();
        guest.inflateTo(0);
    }

    private static CommandResult writeAndCheck(ServedGuest guest, int seconds) {
        String script =
                """
                mkdir /tmp/kept
                for i in 1 2 3 4; do
                    dd if=/dev/urandom of=/tmp/kept/$i bs=1M count=4 2>/dev/null || exit 3
                done
                sha1sum /tmp/kept/* > /tmp/sums
                end=$(($(date +%s) + SECONDS)) rounds=0
                while [ $(date +%s) -lt $end ]; do
                    dd if=/dev/urandom of=/tmp/new bs=1M count=8 2>/dev/null || exit 4
                    cp /tmp/new /tmp/copy || exit 5
                    cmp /tmp/new /tmp/copy || exit 6
                    rm /tmp/new
                    echo 1 > /proc/sys/vm/compact_memory
                    sha1sum -c -s /tmp/sums || exit 7
                    rm /tmp/copy
                    rounds=$((rounds + 1))
                done
                echo $rounds
                """;
        try {
            return guest.linux()
                    .run(
                            script.replace("SECONDS", Integer.toString(seconds)),
                            Await.SOON.plusSeconds(seconds));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
