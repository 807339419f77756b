package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.spec.Feature;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;
import io.aerostat.vmm.vm.DriverState;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Which requests are answered, and by what. */
@Timeout(60)
final class AcknowledgementTest {
    @TempDir Path directory;
    private final LogLines log = new LogLines();
    private ServedGuest served;

    @BeforeEach
    void serve() {
        served = ServedGuest.in(directory);
    }

    @AfterEach
    void close() {
        served.close();
        log.close();
    }

    /** Each request with an acknowledgement is asked, and one more answer would come first. */
    @Test
    void everyRequestIsAcknowledgedOnceIfThatIsNegotiatedAndAskedFor() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            frontEnd.wire.tell(Request.SET_OWNER, Payload.none());
            frontEnd.actual(0);
            frontEnd.enable(HandFrontEnd.STATS, false);

            assertEquals(5, frontEnd.wire.askNumber(Request.GET_QUEUE_NUM));
            assertFalse(frontEnd.wire.isClosed());
        }
        assertEquals(List.of(), log.all());
    }

    @Test
    void nothingIsAcknowledgedThatIsNotAskedFor() {
        try (HandFrontEnd frontEnd = HandFrontEnd.greeted(served.socket)) {
            frontEnd.wire.acknowledged(Set.of());
            frontEnd.start();
            frontEnd.actual(0);

            assertEquals(5, frontEnd.wire.askNumber(Request.GET_QUEUE_NUM));
            frontEnd.inflate().pages(frontEnd.pfn(0));
            assertFalse(frontEnd.wire.isClosed());
        }
    }

    /** The flag means nothing without the protocol feature. */
    @Test
    void nothingIsAcknowledgedIfThatIsNotNegotiated() {
        try (HandFrontEnd frontEnd = HandFrontEnd.silent(served.socket)) {
            frontEnd.wire.send(Request.SET_OWNER.number(), 9, Payload.none());
            frontEnd.wire.send(
                    Request.SET_PROTOCOL_FEATURES.number(),
                    9,
                    Payload.number(ProtocolFeature.CONFIG | ProtocolFeature.MQ));
            frontEnd.wire.send(
                    Request.SET_FEATURES.number(), 9, Payload.number(HandFrontEnd.FEATURES));

            assertEquals(5, frontEnd.wire.askNumber(Request.GET_QUEUE_NUM));
            assertFalse(frontEnd.wire.isClosed());
        }
    }

    @Test
    void aRequestWithAReplyOfItsOwnIsNotAcknowledgedBesides() {
        try (HandFrontEnd frontEnd = HandFrontEnd.greeted(served.socket)) {
            frontEnd.wire.send(Request.GET_QUEUE_NUM.number(), 9, Payload.none());

            assertEquals(5, frontEnd.wire.reply().flags(), "version and reply, no other flag");
            assertEquals(5, frontEnd.wire.askNumber(Request.GET_QUEUE_NUM));
        }
    }

    @Test
    void offersWhatItImplements() {
        try (HandFrontEnd frontEnd = HandFrontEnd.silent(served.socket)) {
            long features = frontEnd.wire.askNumber(Request.GET_FEATURES);

            assertTrue((features & ProtocolFeature.PRESENT) != 0);
            assertTrue((features & Feature.VERSION_1) != 0);
            assertEquals(0, features & BalloonFeature.DEFLATE_ON_OOM, "not unless asked for");
            assertEquals(
                    HandFrontEnd.PROTOCOL, frontEnd.wire.askNumber(Request.GET_PROTOCOL_FEATURES));
        }
    }

    @Test
    void aLegacyDriverIsRefusedWithoutTheConnectionsEndAndServedNothing() {
        try (HandFrontEnd frontEnd = HandFrontEnd.greeted(served.socket)) {
            long legacy = BalloonFeature.STATS_VQ | ProtocolFeature.PRESENT;

            assertTrue(
                    frontEnd.wire.tellForAnswer(Request.SET_FEATURES, Payload.number(legacy)) != 0);
            frontEnd.table();
            frontEnd.rings.forEach(ring -> frontEnd.setUp(ring, 0));
            frontEnd.rings.forEach(ring -> frontEnd.enable(ring.index, true));
            frontEnd.inflate().offer(frontEnd.pfn(0));
            frontEnd.inflate().kick();
            served.settle();

            assertEquals(0, frontEnd.inflate().usedIndex());
            assertEquals(DriverState.ABSENT, served.guest.driver());
            assertEquals(1, log.take().size());

            // The next driver of the same guest knows better.
            frontEnd.start();
            frontEnd.inflate().pages(frontEnd.pfn(0));
            assertEquals(1, served.ledger());
        }
    }
}
