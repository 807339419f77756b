package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.vhost.message.Request;
import io.aerostat.vmm.vm.DriverState;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A front-end that enables rings by their kick descriptors never says that they are gone: after
 * GET_FEATURES their memory may be somebody else's.
 */
@Timeout(60)
final class RestingRingsTest {
    @TempDir Path directory;
    private ServedGuest served;
    private HandFrontEnd frontEnd;

    @BeforeEach
    void connect() {
        served = ServedGuest.in(directory);
        frontEnd = HandFrontEnd.greeted(served.socket);
        startWithoutEnable();
    }

    @AfterEach
    void close() {
        frontEnd.close();
        served.close();
    }

    private void startWithoutEnable() {
        frontEnd.features(HandFrontEnd.FEATURES | (1L << 30));
        frontEnd.features(HandFrontEnd.FEATURES);
        frontEnd.table();
        frontEnd.rings.forEach(HandRing::begin);
        frontEnd.rings.forEach(ring -> frontEnd.setUp(ring, 0));
    }

    private byte[] ringMemory() {
        RamAccess all =
                RamAccess.of(
                        frontEnd.ram.memory(), frontEnd.rings.getFirst().gpa, 3 * HandRing.BYTES);
        byte[] bytes = new byte[(int) (3 * HandRing.BYTES)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = all.getByte(i);
        }
        return bytes;
    }

    private void scribble() {
        RamAccess all =
                RamAccess.of(
                        frontEnd.ram.memory(), frontEnd.rings.getFirst().gpa, 3 * HandRing.BYTES);
        all.fill(0, 3 * HandRing.BYTES, (byte) 0x5A);
    }

    @Test
    void nothingIsWrittenToThemNeitherByAPeriodNorByATarget() {
        served.control().statisticsPeriod(Duration.ofMillis(1));
        frontEnd.stats().offer(frontEnd.stats().gpa + 0x8000, 10, false);
        frontEnd.stats().kick();
        ServedGuest.await(frontEnd.stats()::takeBack, "statistics are asked for");
        frontEnd.stats().offer(frontEnd.stats().gpa + 0x8000, 10, false);
        frontEnd.stats().kick();
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));

        frontEnd.wire.askNumber(Request.GET_FEATURES);
        assertEquals(DriverState.ABSENT, served.guest.driver());
        scribble();
        byte[] before = ringMemory();
        served.target(20);
        var _ = served.control().statistics(Duration.ZERO);
        long startNs = System.nanoTime();
        ServedGuest.await(() -> System.nanoTime() - startNs > 30_000_000, "some periods are over");
        served.settle();

        assertArrayEquals(before, ringMemory());
        assertEquals(DriverState.ABSENT, served.guest.driver());
        assertEquals(10, served.ledger(), "it may be no more than a question");
    }

    @Test
    void aKickWakesItsRingUpAndNoOther() {
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));
        frontEnd.wire.askNumber(Request.GET_FEATURES);
        frontEnd.deflate().offer(frontEnd.pfns(0, 5));
        served.settle();
        assertEquals(0, frontEnd.deflate().usedIndex());

        frontEnd.inflate().pages(frontEnd.pfns(10, 10));
        assertEquals(DriverState.UP, served.guest.driver());
        assertEquals(20, served.ledger());
        assertEquals(0, frontEnd.deflate().usedIndex());

        frontEnd.deflate().kick();
        ServedGuest.await(frontEnd.deflate()::takeBack, "it is served");
        assertEquals(15, served.ledger());
    }

    @Test
    void theNextDriverStartsAllOfThem() {
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));
        frontEnd.wire.askNumber(Request.GET_FEATURES);
        frontEnd.wire.askNumber(Request.GET_FEATURES);

        startWithoutEnable();

        assertEquals(DriverState.UP, served.guest.driver());
        assertEquals(0, served.ledger());
        frontEnd.inflate().pages(frontEnd.pfns(0, 7));
        frontEnd.deflate().pages(frontEnd.pfns(0, 7));
        assertEquals(0, served.anomalies());
    }

    @Test
    void ramThatIsToldAnewDoesNotWakeThemUp() {
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));
        frontEnd.wire.askNumber(Request.GET_FEATURES);
        frontEnd.deflate().offer(frontEnd.pfns(0, 5));

        frontEnd.table();
        served.settle();
        assertEquals(0, frontEnd.deflate().usedIndex());

        frontEnd.inflate().pages(frontEnd.pfns(10, 10));
        assertEquals(20, served.ledger(), "and it is the same driver");
    }

    @Test
    void theirBaseCanBeAskedFor() {
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));
        frontEnd.wire.askNumber(Request.GET_FEATURES);

        assertEquals(1, frontEnd.base(0));
        frontEnd.inflate().offer(frontEnd.pfns(10, 10));
        frontEnd.inflate().kick();
        served.settle();
        assertEquals(1, frontEnd.inflate().usedIndex(), "stopped for good");
    }

    @Test
    void ringsThatAreEnabledByMessageDoNotRest() {
        frontEnd.start();
        frontEnd.wire.askNumber(Request.GET_FEATURES);
        frontEnd.wire.tell(Request.SET_OWNER, Payload.none());

        assertEquals(DriverState.UP, served.guest.driver());
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));
    }
}
