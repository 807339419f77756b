package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.handler.BalloonCounter;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.frontend.FrontEndRam;
import io.aerostat.vmm.vm.DriverState;
import io.aerostat.vmm.vm.GuestSize;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * A guest that stands still for a while and one that boots anew look nearly the same: the bases
 * tell.
 */
@Timeout(60)
final class StopAndContinueTest {
    private static final int PAGES = 300;

    @TempDir Path directory;
    private final LogLines log = new LogLines();
    private ServedGuest served;
    private HandFrontEnd frontEnd;

    @BeforeEach
    void connect() {
        served = ServedGuest.in(directory);
        frontEnd = HandFrontEnd.started(served.socket);
    }

    @AfterEach
    void close() {
        frontEnd.close();
        served.close();
        log.close();
    }

    private void inflateAll() {
        frontEnd.inflate().pages(frontEnd.pfns(0, PAGES));
        frontEnd.actual(PAGES);
        served.settle();
        assertEquals(PAGES, served.ledger());
    }

    private void deflateAllHonestly() {
        frontEnd.deflate().pages(frontEnd.pfns(0, PAGES));
        frontEnd.actual(0);
        served.settle();
        assertEquals(0, served.ledger());
        assertEquals(0, served.anomalies());
        assertEquals(List.of(), log.all());
    }

    private long returnedByReset() {
        return served.counter(BalloonCounter.PAGES_RETURNED_BY_RESET);
    }

    @Test
    void aGuestThatGoesOnKeepsItsBalloon() {
        inflateAll();
        for (int round = 0; round < 3; round++) {
            frontEnd.goOn(HandFrontEnd.FEATURES, frontEnd.stop());

            assertEquals(PAGES, served.ledger());
            assertEquals(PAGES, served.balloon().actualPages());
            assertEquals(DriverState.UP, served.guest.driver());
        }
        assertEquals(0, returnedByReset());
        deflateAllHonestly();
    }

    @Test
    void aDriverOfWhoseRingsNoPlaceIsToldStartsAtZeroWithAnEmptyBalloon() {
        inflateAll();
        var _ = frontEnd.stop();

        frontEnd.features(HandFrontEnd.FEATURES);
        frontEnd.table();
        for (HandRing ring : frontEnd.rings) {
            ring.begin();
            frontEnd.num(ring.index, HandRing.SIZE);
            frontEnd.addresses(ring);
            frontEnd.kick(ring);
            frontEnd.enable(ring.index, true);
        }

        assertEquals(0, served.ledger());
        assertEquals(PAGES, returnedByReset());
        inflateAll();
        deflateAllHonestly();
    }

    @Test
    void aGuestThatGoesOnWithoutWordOfFeaturesOrRamKeepsItsBalloon() {
        inflateAll();
        int[] bases = frontEnd.stop();
        assertEquals(DriverState.ABSENT, served.guest.driver());

        for (int ring = 0; ring < 3; ring++) {
            frontEnd.base(ring, bases[ring]);
            frontEnd.kick(frontEnd.rings.get(ring));
            frontEnd.enable(ring, true);
        }

        deflateAllHonestly();
    }

    @Test
    void whatWasOfferedWhileTheGuestStoodStillIsServedWhenItGoesOn() {
        inflateAll();
        int[] bases = frontEnd.stop();
        frontEnd.deflate().offer(frontEnd.pfns(0, PAGES));

        frontEnd.goOn(HandFrontEnd.FEATURES, bases);
        served.settle();

        assertEquals(0, served.ledger());
        assertTrue(frontEnd.deflate().takeBack());
    }

    @Test
    void aRebootForgetsTheBalloonAndCountsIt() {
        inflateAll();
        frontEnd.stop();

        frontEnd.start();

        assertEquals(0, served.ledger());
        assertEquals(0, served.balloon().actualPages());
        assertEquals(PAGES, returnedByReset());
        inflateAll();
        assertEquals(0, served.counter(BalloonCounter.PAGES_INFLATED_TWICE));
        deflateAllHonestly();
    }

    @Test
    void aRebootIntoAKernelThatTakesOtherFeaturesIsServedByThose() {
        inflateAll();
        frontEnd.stop();
        frontEnd.rings.forEach(HandRing::begin);

        frontEnd.goOn(HandFrontEnd.FEATURES | BalloonFeature.MUST_TELL_HOST, 0, 0, 0);

        assertEquals(0, served.ledger());
        assertEquals(
                HandFrontEnd.FEATURES | BalloonFeature.MUST_TELL_HOST,
                served.balloon().negotiatedFeatures());
        assertEquals(PAGES, returnedByReset());
    }

    @Test
    void anotherTableWithoutADriverChangesNothingOfWhoComesNext() {
        inflateAll();
        int[] bases = frontEnd.stop();

        frontEnd.table();
        frontEnd.table();
        frontEnd.goOn(HandFrontEnd.FEATURES, bases);

        deflateAllHonestly();
    }

    @Test
    void aSmallerRamForgetsTheBalloonWithALine() {
        inflateAll();
        int[] bases = frontEnd.stop();

        frontEnd.features(HandFrontEnd.FEATURES | (1L << 30));
        try (FrontEndRam half =
                FrontEndRam.of(
                        new FrontEndRam.Region(
                                0,
                                HandFrontEnd.RAM_BYTES / 2,
                                frontEnd.ram.regions().getFirst().userAddress(),
                                0))) {
            frontEnd.table(half);
            for (int ring = 0; ring < 3; ring++) {
                frontEnd.setUp(frontEnd.rings.get(ring), 0);
            }
            frontEnd.base(0, bases[0]);
            frontEnd.enable(0, true);

            assertEquals(0, served.ledger());
            assertEquals(PAGES, returnedByReset());
            assertEquals(
                    HandFrontEnd.RAM_BYTES / 2,
                    served.control().attached().orElseThrow().maximum().bytes());
            assertEquals(1, log.take().stream().filter(l -> l.contains("starts anew")).count());
        }
    }

    @Test
    void theNextConnectionThatGoesOnAtTheOldBasesKeepsTheBalloon() {
        inflateAll();
        int[] bases = frontEnd.stop();
        frontEnd.wire.close();

        try (HandFrontEnd next = nextWithTheSameRings(bases)) {
            assertEquals(PAGES, served.ledger());
            assertEquals(0, returnedByReset());
            next.rings.forEach(HandRing::close);
        }
    }

    @Test
    void theNextConnectionAfterAnAbruptEndKeepsTheBalloon() {
        inflateAll();
        frontEnd.wire.close();

        try (HandFrontEnd next = nextWithTheSameRings(1, 0, 0)) {
            assertEquals(PAGES, served.ledger());
            next.rings.forEach(HandRing::close);
        }
    }

    /**
     * Another front-end process, as after live migration or an upgrade; the RAM's content stays.
     */
    private HandFrontEnd nextWithTheSameRings(int... bases) {
        HandFrontEnd next = HandFrontEnd.greeted(served.socket);
        // What its guest's RAM holds of the rings.
        for (int ring = 0; ring < 3; ring++) {
            for (int i = 0; i < bases[ring]; i++) {
                next.rings.get(ring).offer(next.pfn(0));
            }
            next.rings.get(ring).pretendUsed(bases[ring]);
        }
        return next.goOn(HandFrontEnd.FEATURES, bases);
    }

    @Test
    void theNextConnectionOfANewGuestForgetsTheBalloon() {
        inflateAll();
        frontEnd.wire.close();

        try (HandFrontEnd next = HandFrontEnd.started(served.socket)) {
            assertEquals(0, served.ledger());
            assertEquals(PAGES, returnedByReset());
            next.inflate().pages(next.pfns(0, PAGES));
            assertEquals(PAGES, served.ledger());
            assertEquals(0, served.anomalies());
        }
    }

    @Test
    void aTargetOfMeanwhileCountsForAConnectionThatGoesOn() {
        inflateAll();
        served.target(PAGES);
        frontEnd.wire.close();
        ServedGuest.await(() -> !served.guest.isConnected(), "it is gone");
        served.settle();
        var _ =
                served.control()
                        .setMemory(
                                new GuestSize(HandFrontEnd.RAM_BYTES - 77 * 4096),
                                ServedGuest.PATIENCE);

        try (HandFrontEnd next = nextWithTheSameRings(1, 0, 0)) {
            served.settle();
            assertEquals(PAGES, served.ledger());
            assertEquals(77, next.numPages());
        }
    }

    @Test
    void aPeriodOfMeanwhileCountsForAConnectionThatGoesOn() {
        served.control().statisticsPeriod(Duration.ofMillis(10));
        inflateAll();
        frontEnd.wire.close();
        ServedGuest.await(() -> !served.guest.isConnected(), "it is gone");
        served.control().statisticsPeriod(Duration.ZERO);
        served.settle();

        try (HandFrontEnd next = nextWithTheSameRings(1, 0, 0)) {
            next.stats().offer(next.stats().gpa + 0x8000, 10, false);
            next.stats().kick();
            served.settle();
            long startNs = System.nanoTime();
            ServedGuest.await(
                    () -> System.nanoTime() - startNs > 50_000_000, "five periods are over");
            served.settle();

            assertEquals(0, next.stats().usedIndex(), "nobody asks any more");
        }
    }

    @Test
    void theLastWordOnAFillValueOutlivesAStandstillBeforeAnythingWasInflated() {
        long features = HandFrontEnd.FEATURES | BalloonFeature.PAGE_POISON;
        frontEnd.stop();
        frontEnd.rings.forEach(HandRing::begin);
        frontEnd.goOn(features, 0, 0, 0);
        frontEnd.setConfig(12, (byte) 0xAA, (byte) 0xAA, (byte) 0xAA, (byte) 0xAA);
        frontEnd.deflate().pages(frontEnd.pfn(0));

        int[] bases = frontEnd.stop();
        assertEquals("[0, 1, 0]", Arrays.toString(bases));
        frontEnd.goOn(features, bases);

        assertEquals(0xAAAAAAAA, frontEnd.config(12, 4).getInt(0));
    }
}
