package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.StatTag;
import io.aerostat.vmm.frontend.Manner;
import io.aerostat.vmm.vm.BalloonSize;
import io.aerostat.vmm.vm.DriverState;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reached;
import io.aerostat.vmm.vm.StatisticsOutcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** Our own driver, from the first message to the last, as each front-end would have it. */
@Timeout(60)
final class WholeLifeTest {
    private static final int PAGES = 3000;

    @TempDir Path directory;
    private ServedGuest served;

    @BeforeEach
    void serve() {
        served = ServedGuest.in(directory);
    }

    @AfterEach
    void close() {
        served.close();
    }

    private void reach(DrivenGuest guest, long pages) {
        CompletableFuture<SetMemoryOutcome> outcome = served.balloonOf(pages);
        guest.runUntil(outcome::isDone, "the promise ends: " + pages);
        assertEquals(new Reached(new BalloonSize(pages)), outcome.join());
        assertEquals(pages, guest.driver.balloonedPages());
        assertEquals(pages, served.ledger());
        assertEquals(pages, served.balloon().actualPages());
    }

    @ParameterizedTest
    @EnumSource
    void theGuestFollowsTargetsAndTheHostGetsItsBlocks(Manner manner) {
        try (DrivenGuest guest = DrivenGuest.started(served.socket, manner)) {
            guest.touchAll();
            long before = guest.ram.allocatedBytes();
            assertEquals(DriverState.UP, served.guest.driver());

            reach(guest, PAGES);
            assertEquals(before - (PAGES * 4096L), guest.ram.allocatedBytes());
            assertEquals(guest.ram.allocatedBytes(), served.guest.residentBytes().orElseThrow());
            assertTrue(served.guest.discardCalls() > 0);

            reach(guest, 1000);
            reach(guest, 0);
            assertEquals(0, served.anomalies());
        }
    }

    @ParameterizedTest
    @EnumSource
    void theGuestAnswersQuestionsAboutItsMemory(Manner manner) {
        try (DrivenGuest guest = DrivenGuest.started(served.socket, manner)) {
            for (int round = 0; round < 3; round++) {
                CompletableFuture<StatisticsOutcome> outcome =
                        served.control().statistics(ServedGuest.PATIENCE);
                guest.runUntil(outcome::isDone, "statistics arrive");

                var answered = assertInstanceOf(StatisticsOutcome.Answered.class, outcome.join());
                assertEquals(
                        guest.pages.freePages() * 4096,
                        answered.figures().value(StatTag.MEMFREE).orElseThrow());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void freePagesAreReportedAndTheirBlocksGo(Manner manner) {
        try (DrivenGuest guest = DrivenGuest.started(served.socket, manner)) {
            guest.touchAll();
            long before = guest.ram.allocatedBytes();

            guest.runUntil(
                    () -> served.counter(BalloonCounter.BYTES_REPORTED) >= 4 << 20,
                    "4 MiB are reported");
            served.settle();

            assertTrue(before - guest.ram.allocatedBytes() >= 4 << 20);
            assertEquals(0, served.anomalies());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDriverThatIsReloadedFindsTheTargetAndNothingOfItsPredecessor(Manner manner) {
        try (DrivenGuest guest = DrivenGuest.started(served.socket, manner)) {
            reach(guest, 500);
            for (int life = 1; life <= 3; life++) {
                // As at a crash of the guest's kernel: nothing is deflated before.
                guest.driver.forceRemove();
                assertNull(guest.driver.start());
                guest.runUntil(() -> guest.driver.balloonedPages() == 500, "it inflates anew");
                ServedGuest.await(() -> served.balloon().actualPages() == 500, "it says so");

                assertEquals(500, served.ledger());
                assertEquals(500L * life, served.counter(BalloonCounter.PAGES_RETURNED_BY_RESET));
            }
            reach(guest, 0);
            assertEquals(0, served.anomalies());
        }
    }

    @ParameterizedTest
    @EnumSource
    void theNextConnectionIsServedAsTheFirstAndTheTargetStands(Manner manner) {
        for (int life = 0; life < 3; life++) {
            try (DrivenGuest guest = DrivenGuest.started(served.socket, manner)) {
                if (life == 0) {
                    reach(guest, 700);
                }
                guest.runUntil(() -> guest.driver.balloonedPages() == 700, "target 700");
                ServedGuest.await(() -> served.balloon().actualPages() == 700, "it says so");
                assertEquals(700, served.ledger());
            }
            ServedGuest.await(() -> !served.guest.isConnected(), "it is gone");
            served.settle();
            assertTrue(served.control().attached().isEmpty());
            assertEquals(DriverState.ABSENT, served.guest.driver());
            assertTrue(served.guest.residentBytes().isEmpty());
        }
    }
}
