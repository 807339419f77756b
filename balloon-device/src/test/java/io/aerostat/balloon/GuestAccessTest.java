package io.aerostat.balloon;

import static io.aerostat.balloon.BalloonRig.DATA_PAGE;
import static io.aerostat.balloon.BalloonRig.DEFLATE;
import static io.aerostat.balloon.BalloonRig.INFLATE;
import static io.aerostat.balloon.BalloonRig.PAGE_FEATURES;
import static io.aerostat.balloon.GuestAccess.BALLOONED;
import static io.aerostat.balloon.GuestAccess.DEFLATE_SENT;
import static io.aerostat.balloon.GuestAccess.FREE_TO_USE;
import static io.aerostat.balloon.GuestAccess.UNDECIDED;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.queue.QueueFault;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** What the device says of a guest's access to a page, with and without MUST_TELL_HOST. */
@DisplayName("BALLOON-DRV-09 to -12: which pages a guest may use")
final class GuestAccessTest {
    private static final long LENIENT = PAGE_FEATURES & ~BalloonFeature.MUST_TELL_HOST;

    private final List<GuestAccess> verdicts = new ArrayList<>();
    private BalloonRig rig = new BalloonRig();

    private void access(int dataPage) {
        rig.device.onGuestAccess(rig.gpa(DATA_PAGE + dataPage) + 123, verdicts::add);
    }

    private List<GuestAccess> takeVerdicts() {
        List<GuestAccess> taken = List.copyOf(verdicts);
        verdicts.clear();
        return taken;
    }

    private List<GuestAccess> settledVerdicts() {
        rig.settle();
        return takeVerdicts();
    }

    @Test
    void aPageThatIsNotInTheBalloonIsFreeAtOnce() {
        rig.start();
        rig.inflate(rig.data(1));

        access(0);
        access(2);

        assertEquals(List.of(FREE_TO_USE, FREE_TO_USE), takeVerdicts());
        assertEquals(Map.of(), rig.anomalies());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 0xFFFF, 0x20_FFFF, 0x21_0000, 1L << 44, Long.MAX_VALUE, -1})
    void anAddressThatIsNotRamIsNotInTheBalloon(long gpa) {
        rig.start();
        rig.inflate(rig.dataRun(0, 10));

        rig.device.onGuestAccess(gpa, verdicts::add);

        assertEquals(List.of(FREE_TO_USE), takeVerdicts());
    }

    @Test
    void withMustTellHostABalloonedPageIsNotToBeUsed() {
        rig.start();
        rig.inflate(rig.data(0));

        access(0);
        assertEquals(List.of(), takeVerdicts(), "by the owner, not at once");

        assertEquals(List.of(BALLOONED), settledVerdicts());
        assertEquals(Map.of(BalloonCounter.USES_OF_BALLOONED_PAGES, 1L), rig.anomalies());
    }

    @Test
    void withMustTellHostASentDeflateIsNotEnough() {
        rig.start();
        rig.inflate(rig.data(0));
        rig.offer(DEFLATE, rig.data(0));
        rig.kick(DEFLATE);

        access(0);

        assertEquals(List.of(BALLOONED), settledVerdicts());
        access(0);
        assertEquals(List.of(FREE_TO_USE), takeVerdicts());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withoutMustTellHostASentDeflateIsEnoughKickedOrNot(boolean kicked) {
        rig.start(LENIENT);
        rig.inflate(rig.data(0));
        rig.offer(DEFLATE, rig.data(0));
        if (kicked) {
            rig.kick(DEFLATE);
        }

        access(0);

        assertEquals(List.of(DEFLATE_SENT), settledVerdicts());
        assertEquals(1, rig.counter(BalloonCounter.EARLY_USES));
        assertEquals(Map.of(), rig.anomalies());
    }

    @Test
    void withoutMustTellHostABalloonedPageStaysOneIfNoDeflateNamesIt() {
        rig.start(LENIENT);
        rig.inflate(rig.dataRun(0, 3));
        rig.offer(DEFLATE, rig.data(1));

        access(0);
        access(2);

        assertEquals(List.of(BALLOONED, BALLOONED), settledVerdicts());
        assertEquals(2, rig.counter(BalloonCounter.USES_OF_BALLOONED_PAGES));
    }

    @Test
    void aDeflateOfSeveralPassesIsWaitedFor() {
        rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(7)).start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        rig.offer(DEFLATE, rig.dataRun(0, 60));
        rig.kick(DEFLATE);

        access(59);
        access(60);
        rig.poll();
        assertEquals(List.of(), takeVerdicts());

        assertEquals(List.of(DEFLATE_SENT, BALLOONED), settledVerdicts());
    }

    @Test
    void anAccessInTheMiddleOfADeflateWaitsForItsRest() {
        rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(7)).start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        rig.offer(DEFLATE, rig.dataRun(0, 60));
        rig.kick(DEFLATE);
        rig.poll();

        access(59);
        access(99);

        assertEquals(List.of(DEFLATE_SENT, BALLOONED), settledVerdicts());
    }

    @Test
    void aPageThatWasTakenBackAndGivenAgainMeanwhileWasNotAbused() {
        rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(7)).start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        rig.offer(DEFLATE, rig.data(0));
        rig.offer(DEFLATE, rig.dataRun(1, 60));
        access(99);
        access(0);
        rig.kick(DEFLATE);
        rig.poll();
        assertEquals(1, rig.queues[DEFLATE].poll() >= 0 ? 1 : 0, "the first deflate is back");

        rig.offer(INFLATE, rig.data(0));
        rig.kick(INFLATE);
        rig.settle();

        List<GuestAccess> told = takeVerdicts().stream().sorted().toList();
        assertEquals(List.of(DEFLATE_SENT, BALLOONED), told);
        assertEquals(1, rig.counter(BalloonCounter.USES_OF_BALLOONED_PAGES));
    }

    @Test
    void aDeflateThatIsSentAfterTheAccessDoesNotHoldItUp() {
        rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(7)).start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        access(99);
        assertEquals(List.of(BALLOONED), settledVerdicts());

        rig.offer(DEFLATE, rig.data(99));
        access(99);
        assertEquals(List.of(DEFLATE_SENT), settledVerdicts());
    }

    @Test
    void onlySixtyFourAccessesWaitAndThenThereIsRoomAgain() {
        rig.start();
        rig.inflate(rig.dataRun(0, 100));
        for (int i = 0; i < 70; i++) {
            access(i);
        }
        assertEquals(Collections.nCopies(6, UNDECIDED), takeVerdicts());
        access(200);
        assertEquals(List.of(FREE_TO_USE), takeVerdicts(), "free pages need no place");

        assertEquals(Collections.nCopies(64, BALLOONED), settledVerdicts());
        for (int i = 0; i < 64; i++) {
            access(i);
        }
        assertEquals(Collections.nCopies(64, BALLOONED), settledVerdicts());
        assertEquals(128, rig.counter(BalloonCounter.USES_OF_BALLOONED_PAGES));
    }

    @Test
    void theLimitHoldsWithoutMustTellHostToo() {
        rig.start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        rig.offer(DEFLATE, rig.dataRun(0, 100));
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 65; i++) {
                access(i);
            }
            List<GuestAccess> told = settledVerdicts();
            assertEquals(65, told.size());
            // From the second round on the pages are out.
            assertEquals(round == 0 ? UNDECIDED : FREE_TO_USE, told.get(0));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {129, 200, 0x8000, 0x8001, 0xFFFF})
    void anAvailableIndexThatRunsAwayNeverTellsTooMuch(int ahead) {
        rig.start(LENIENT);
        rig.inflate(rig.dataRun(0, 10));
        rig.rings[DEFLATE].availableIdx(ahead);
        for (int i = 0; i < 10; i++) {
            access(i);
        }
        rig.settle();
        rig.assertFault(QueueFault.AVAILABLE_INDEX_JUMP);

        rig.transport.reset();

        assertEquals(Collections.nCopies(10, BALLOONED), settledVerdicts());
        rig.start(LENIENT);
        rig.inflate(rig.data(0));
        rig.offer(DEFLATE, rig.data(0));
        access(0);
        assertEquals(List.of(DEFLATE_SENT), settledVerdicts());
    }

    @Test
    void accessesThatWaitForABrokenDeviceFindAnEndAtReset() {
        rig.start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        rig.rings[INFLATE].offer(0xFFFF);
        rig.kick(INFLATE);
        rig.settle();
        for (int i = 0; i < 100; i++) {
            access(i);
        }
        rig.settle();

        rig.transport.reset();
        rig.settle();

        List<GuestAccess> told = takeVerdicts();
        assertEquals(100, told.size());
        assertEquals(36, told.stream().filter(verdict -> verdict == UNDECIDED).count());
    }

    @Test
    void withoutADeflateQueueThereIsNothingToWaitFor() {
        rig.start(LENIENT);
        rig.inflate(rig.dataRun(0, 2));
        access(0);
        rig.stop(DEFLATE);
        access(1);

        assertEquals(List.of(BALLOONED, BALLOONED), settledVerdicts());
    }

    @Test
    void aDeflateQueueThatStopsMidwayLeavesItsPagesInTheBalloon() {
        rig = new BalloonRig(BalloonOptions.DEFAULT.withWorkBudget(7)).start(LENIENT);
        rig.inflate(rig.dataRun(0, 100));
        rig.offer(DEFLATE, rig.dataRun(0, 60));
        rig.kick(DEFLATE);
        access(59);
        rig.poll();

        rig.stop(DEFLATE);

        assertEquals(List.of(BALLOONED), settledVerdicts());
        rig.enable(DEFLATE);
        rig.offer(DEFLATE, rig.data(59));
        access(59);
        assertEquals(List.of(DEFLATE_SENT), settledVerdicts());
    }

    @Test
    void anAccessThatTheOwnerSeesAfterAResetFindsAnEmptyBalloon() {
        rig.start();
        rig.inflate(rig.data(0));
        access(0);

        rig.transport.reset();

        assertEquals(1, settledVerdicts().size());
        access(0);
        assertEquals(List.of(FREE_TO_USE), takeVerdicts());
    }

    @Test
    void theWaitingEndsWithoutWork() {
        rig.start(LENIENT);
        rig.inflate(rig.data(0));
        access(0);
        rig.settle();

        assertEquals(0, rig.poll());
        assertTrue(takeVerdicts().contains(BALLOONED));
    }
}
