package io.aerostat.vmm.realguest;

import static io.aerostat.vmm.realguest.ServedGuest.assertNear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.balloon.handler.HintRound;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.time.Duration;
import java.util.List;

/**
 * The balloon in a guest that all tests share. Free pages are not reported, so that the host gets
 * back what is in the balloon and nothing else.
 */
final class RealGuestBalloonTest {
    private static final long FEATURES =
            BalloonFeature.MUST_TELL_HOST | BalloonFeature.STATS_VQ | BalloonFeature.FREE_PAGE_HINT;

    /** What the guest keeps: enough for a shell and its programs. */
    private static final long SPARED_BYTES = 24L << 20;

    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    private static ServedGuest guest;

    @BeforeAll
    static void boot() throws Exception {
        guest = GUESTS.serve(FEATURES).boot(ServedGuests.USUAL).load();
    }

    @AfterEach
    void emptyTheBalloon() throws Exception {
        guest.inflateTo(0);
    }

    @Test
    void allCountersAgreeAtEveryTarget() throws Exception {
        for (long pages : new long[] {1, 255, 256, 257, 1_000, 32_768, 20_001, 40_000, 7, 0}) {
            guest.inflateTo(pages);
            guest.assertGivenBack();
        }
    }

    @Test
    void freeMemoryFallsByTheBalloonAndComesBack() throws Exception {
        long before = guest.freeBytes();
        long total = guest.linux().meminfo().get("MemTotal");

        guest.inflateTo(32_768);
        long inflated = guest.freeBytes();
        long totalInflated = guest.linux().meminfo().get("MemTotal");
        guest.inflateTo(0);

        assertNear(128L << 20, before - inflated, 4 << 20);
        assertEquals(128 << 10, total - totalInflated);
        assertNear(before, guest.freeBytes(), 4 << 20);
        assertEquals(total, guest.linux().meminfo().get("MemTotal"));
    }

    @Test
    void theHostGetsBackWhatTheGuestHadWritten() throws Exception {
        guest.dirty(100);
        long dirty = guest.residentBytes();
        long nearlyAll = (guest.freeBytes() - SPARED_BYTES) >>> PageFrame.SHIFT;

        guest.inflateTo(nearlyAll);
        long inflated = guest.residentBytes();
        guest.assertGivenBack();
        long shmem = guest.linux().residentShmemBytes();
        guest.inflateTo(0);
        long deflated = guest.residentBytes();
        guest.dirty(100);

        assertTrue(dirty >= 100 << 20, "resident=" + dirty);
        assertTrue(dirty - inflated >= 70 << 20, dirty + " to " + inflated);
        assertNear(inflated, shmem, 4 << 20);
        // What comes back to the guest is not touched by that.
        assertNear(inflated, deflated, 8 << 20);
        assertTrue(guest.residentBytes() - deflated >= 70 << 20, "" + guest.residentBytes());
    }

    @Test
    void aFileInTheGuestIsNotHarmed() throws Exception {
        guest.run("dd if=/dev/urandom of=/tmp/file bs=1M count=8");
        List<String> before = guest.run("sha1sum /tmp/file");

        for (int round = 0; round < 2; round++) {
            guest.inflateTo((guest.freeBytes() - SPARED_BYTES) >>> PageFrame.SHIFT);
            assertEquals(before, guest.run("sha1sum /tmp/file"));
            guest.inflateTo(0);
            assertEquals(before, guest.run("sha1sum /tmp/file"));
        }
        guest.run("rm /tmp/file");
    }

    @Test
    void aTargetAboveWhatTheGuestCanGiveIsReachedInPart() throws Exception {
        long ram = guest.host().control().attached().orElseThrow().maximum().pages();
        // Its kernel panics if it is out of memory for long and finds no program to kill.
        guest.run(
                "for i in $(seq 6); do sh -c 'text=$(printf %2000000s); sleep 1000; :' & done\n"
                        + "until [ $(pidof sleep | wc -w) = 6 ]; do :; done");
        long free = guest.freeBytes() >>> PageFrame.SHIFT;

        SetMemoryOutcome.Partial partial = squeeze(ram - 256, 300);
        for (int ms = 600; partial.reason() == Reason.STILL_MOVING && ms < 10_000; ms *= 2) {
            partial = squeeze(ram - 256, ms);
        }

        assertSame(Reason.OUT_OF_PAGES, partial.reason());
        assertNear(free, partial.balloon().pages(), 4_096);
        assertEquals(partial.balloon().bytes(), partial.movedBytes());
        guest.run("killall sleep; true");
        guest.dirty(64);
    }

    private static SetMemoryOutcome.Partial squeeze(long pages, int deadlineMs) throws Exception {
        SetMemoryOutcome outcome =
                ServedGuest.outcome(guest.target(pages, Duration.ofMillis(deadlineMs)));
        // At once all that it needs again.
        guest.inflateTo(0);
        return assertInstanceOf(SetMemoryOutcome.Partial.class, outcome);
    }

    @Test
    void pagesThatMoveInTheGuestMoveInTheLedger() throws Exception {
        long moved = guest.linux().vmstat().get("balloon_migrate");
        // The balloon fills the holes between small files, which then go: all is in pieces.
        guest.run(
                "mkdir /tmp/f; text=$(printf %131072s)\n"
                        + "for i in $(seq 300); do echo \"$text\" > /tmp/f/$i; done");
        guest.run("rm /tmp/f/*[02468]");
        guest.inflateTo((guest.freeBytes() - SPARED_BYTES) >>> PageFrame.SHIFT);
        long pages = guest.ledgerPages();
        guest.run("rm -r /tmp/f");

        guest.run("echo 1 > /proc/sys/vm/compact_memory");

        guest.assertAllAgreeOn(pages);
        guest.assertGivenBack();
        long now = guest.linux().vmstat().get("balloon_migrate");
        assertTrue(now - moved >= 256, "balloon_migrate=" + (now - moved));
    }

    @Test
    void hintedPagesAreKeptAndComeBack() throws Exception {
        guest.dirty(64);
        long free = guest.freeBytes();
        long resident = guest.residentBytes();
        long discards = guest.host().discardCalls();
        long rounds = guest.count(BalloonCounter.HINT_ROUNDS);

        guest.device().hinting().start();
        Await.until(
                "the guest has no more hints",
                () -> guest.device().hinting().round() == HintRound.COMPLETE);
        long hinted = guest.device().hinting().hintedPages() << PageFrame.SHIFT;
        long freeMeanwhile = guest.freeBytes();
        long residentMeanwhile = guest.residentBytes();
        guest.device().hinting().done();

        assertEquals(rounds + 1, guest.count(BalloonCounter.HINT_ROUNDS));
        // Linux hints blocks of 4 MiB, and what is in pieces is not hinted.
        assertTrue(hinted >= free / 2, "hinted=" + hinted + ", free=" + free);
        assertNear(free - hinted, freeMeanwhile, 8 << 20);
        Await.until("pages come back", () -> guest.freeBytes() >= free - (4 << 20));
        assertEquals(discards, guest.host().discardCalls());
        assertTrue(residentMeanwhile >= resident, resident + " to " + residentMeanwhile);
        assertEquals(0, guest.device().hinting().hintedPages());
    }

    /** The guest holds what it has hinted until it hears that the host is done. */
    @Test
    void aRoundOfHintsCanBeStoppedAndAnotherBegun() throws Exception {
        long free = guest.freeBytes();

        for (int round = 0; round < 3; round++) {
            long hinted = guest.count(BalloonCounter.PAGES_HINTED);
            guest.device().hinting().start();
            Await.until("hints come", () -> guest.count(BalloonCounter.PAGES_HINTED) > hinted);
            guest.device().hinting().stop();
            Await.until(
                    "the round has stopped",
                    () -> guest.device().hinting().round() == HintRound.STOPPED);
            assertTrue(guest.device().hinting().hintedPages() > 0);
            guest.device().hinting().done();
            Await.until("pages come back", () -> guest.freeBytes() >= free - (4 << 20));
        }
        guest.inflateTo(20_000);
    }
}
