package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;
import io.aerostat.vmm.vhost.message.Request;
import io.aerostat.vmm.vm.GuestSize;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

/** When the front-end is told that the configuration has changed, and how. */
@Timeout(60)
final class ConfigChangeTest {
    @TempDir Path directory;
    private final LogLines log = new LogLines();
    private ServedGuest served;
    private HandFrontEnd frontEnd;

    @BeforeEach
    void connect() {
        served = ServedGuest.in(directory);
        frontEnd = HandFrontEnd.greeted(served.socket);
    }

    @AfterEach
    void close() {
        frontEnd.close();
        served.close();
        log.close();
    }

    @Test
    void isToldWithoutAskingForAReplyWhileTheDriverIsUp() {
        frontEnd.start();
        served.settle();
        frontEnd.takeConfigChanges();

        served.target(10);

        ServedGuest.await(() -> frontEnd.takeConfigChanges() == 1, "it is told");
        assertEquals(10, frontEnd.numPages());
    }

    @Test
    void isNotToldBeforeTheFirstRingIsEnabledAndReadByTheDriverThatStarts() {
        GuestSize size = new GuestSize(HandFrontEnd.RAM_BYTES - 33 * 4096);
        var _ = served.control().setMemory(size, ServedGuest.PATIENCE);
        frontEnd.features(HandFrontEnd.FEATURES | (1L << 30));
        frontEnd.table();
        frontEnd.rings.forEach(ring -> frontEnd.setUp(ring, 0));
        served.target(34);
        served.settle();

        assertEquals(0, frontEnd.takeConfigChanges());
        frontEnd.enable(0, true);
        assertEquals(34, frontEnd.numPages());
    }

    @Test
    void isNotToldOnceTheFirstRingIsDisabled() {
        frontEnd.start();
        served.settle();
        frontEnd.takeConfigChanges();

        frontEnd.enable(2, false);
        served.target(10);
        served.settle();
        assertEquals(0, frontEnd.takeConfigChanges());

        frontEnd.enable(1, false);
        frontEnd.enable(0, false);
        served.target(20);
        served.settle();
        assertEquals(0, frontEnd.takeConfigChanges());
        assertEquals(20, frontEnd.numPages(), "whoever asks is told");
    }

    @Test
    void isToldAgainOnceTheNextDriverRuns() {
        frontEnd.start();
        frontEnd.stop();
        frontEnd.start();
        served.settle();
        frontEnd.takeConfigChanges();

        served.target(10);

        ServedGuest.await(() -> frontEnd.takeConfigChanges() == 1, "it is told");
    }

    /** A guest that stood still does not look by itself. */
    @Test
    void isToldLateToAGuestThatStoodStillMeanwhile() {
        frontEnd.start();
        frontEnd.inflate().pages(frontEnd.pfn(0));
        int[] bases = frontEnd.stop();
        served.target(10);
        served.settle();
        assertEquals(0, frontEnd.takeConfigChanges());

        frontEnd.goOn(HandFrontEnd.FEATURES, bases);

        ServedGuest.await(() -> frontEnd.takeConfigChanges() == 1, "it is told");
        assertEquals(10, frontEnd.numPages());
    }

    @Test
    void twoHundredTargetsInARowAreAllTakenAndTheLastCounts() {
        frontEnd.start();

        for (int target = 1; target <= 200; target++) {
            var _ = served.balloonOf(target);
        }

        ServedGuest.await(() -> frontEnd.numPages() == 200, "the last target is shown");
        assertTrue(frontEnd.takeConfigChanges() >= 1);
        frontEnd.inflate().pages(frontEnd.pfns(0, 200));
        frontEnd.actual(200);
        served.settle();
        assertEquals(200, served.balloon().actualPages());
    }

    @Test
    void aChannelThatIsNeverReadBlocksNothing() {
        frontEnd.start();

        for (int i = 0; i < 20_000; i++) {
            var _ = served.balloonOf(i % 100);
        }
        served.settle();
        frontEnd.inflate().pages(frontEnd.pfns(0, 100));
        served.target(50);

        assertEquals(50, frontEnd.numPages());
        frontEnd.takeConfigChanges();
        served.target(60);
        ServedGuest.await(() -> frontEnd.takeConfigChanges() > 0, "told again once it is read");
    }

    @Test
    void aChannelThatIsClosedOrNoneEndsOnlyItself() {
        frontEnd.start();
        frontEnd.channel.close();
        served.target(10);
        try (Descriptor noSocket = EventDescriptors.create()) {
            frontEnd.wire.tell(Request.SET_BACKEND_REQ_FD, Payload.none(), noSocket);
        }
        served.target(20);

        frontEnd.inflate().pages(frontEnd.pfn(0));
        assertEquals(20, frontEnd.numPages());
    }

    @Test
    void aFrontEndWithoutChannelIsServed() {
        frontEnd.close();
        try (HandFrontEnd other = HandFrontEnd.silent(served.socket)) {
            other.wire.tell(Request.SET_PROTOCOL_FEATURES, Payload.number(HandFrontEnd.PROTOCOL));
            other.start();
            assertEquals(0, other.numPages());
            served.target(10);

            assertEquals(10, other.numPages());
        }
    }
}
