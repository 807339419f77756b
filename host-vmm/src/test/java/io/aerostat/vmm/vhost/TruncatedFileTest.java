package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.frontend.ConnectionLost;
import io.aerostat.vmm.vm.StatisticsOutcome.Reason;
import io.aerostat.vmm.vm.StatisticsOutcome.Unanswered;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

/** The file behind the RAM is made shorter when all is said: what is behind its end is a SIGBUS. */
@Timeout(60)
final class TruncatedFileTest {
    private static final long KEPT = HandFrontEnd.RAM_BYTES / 2;

    @TempDir Path directory;
    private final LogLines log = new LogLines();
    private ServedGuest served;
    private ServedGuest other;
    private HandFrontEnd otherFrontEnd;
    private Leftovers before;

    @BeforeEach
    void serve() {
        served = ServedGuest.in(directory);
        other = ServedGuest.in(directory, "other");
        otherFrontEnd = HandFrontEnd.started(other.socket);
        otherFrontEnd.inflate().pages(otherFrontEnd.pfn(0));
        other.settle();
        before = Leftovers.now();
    }

    @AfterEach
    void close() {
        otherFrontEnd.close();
        other.close();
        served.close();
        log.close();
    }

    /** After the front-end was closed. */
    private void assertThatOnlyThisConnectionHasEnded() {
        ServedGuest.await(() -> !served.guest.isConnected(), "the connection is gone");
        served.settle();
        List<String> lines = log.take();
        assertEquals(1, lines.size(), lines::toString);
        assertTrue(
                lines.getFirst().contains("guest guest: connection closed: its RAM is gone"),
                lines::toString);
        assertEquals(before, Leftovers.now());
        otherFrontEnd.inflate().pages(otherFrontEnd.pfn(1));
        assertEquals(2, other.ledger());
        try (HandFrontEnd next = HandFrontEnd.started(served.socket)) {
            next.inflate().pages(next.pfn(0));
            assertEquals(1, served.ledger());
        }
    }

    @Test
    void aBufferBehindTheEndEndsTheConnection() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            frontEnd.inflate().pages(frontEnd.pfns(0, 100));
            frontEnd.stats().offer(frontEnd.stats().gpa + 0x8000, 10, false);
            frontEnd.stats().kick();
            frontEnd.inflate().offer(KEPT + 0x4000, 1024, false);
            frontEnd.ram.truncate(KEPT);

            frontEnd.inflate().kick();

            frontEnd.wire.awaitClosed();
        }
        assertThatOnlyThisConnectionHasEnded();
    }

    @Test
    void aRingBehindTheEndEndsTheConnectionAtItsKick() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket);
                HandRing high = new HandRing(frontEnd.ram.memory(), HandFrontEnd.INFLATE, KEPT)) {
            frontEnd.setUp(high, 0);
            high.pages(frontEnd.pfns(0, 100));
            frontEnd.ram.truncate(KEPT);

            high.kick();

            frontEnd.wire.awaitClosed();
        }
        assertThatOnlyThisConnectionHasEnded();
    }

    @Test
    void aRingBehindTheEndEndsTheConnectionAtItsStart() {
        try (HandFrontEnd frontEnd = HandFrontEnd.greeted(served.socket);
                HandRing high = new HandRing(frontEnd.ram.memory(), HandFrontEnd.INFLATE, KEPT)) {
            frontEnd.features(HandFrontEnd.FEATURES);
            frontEnd.table();
            frontEnd.ram.truncate(KEPT);

            try {
                frontEnd.setUp(high, 0);
            } catch (ConnectionLost e) {
                // Before the last acknowledgement.
            }

            frontEnd.wire.awaitClosed();
        }
        assertThatOnlyThisConnectionHasEnded();
    }

    @Test
    void aRingBehindTheEndEndsTheConnectionAtATick() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket);
                HandRing high = new HandRing(frontEnd.ram.memory(), HandFrontEnd.STATS, KEPT)) {
            frontEnd.setUp(high, 0);
            high.offer(high.gpa + 0x8000, 10, false);
            high.kick();
            served.settle();
            frontEnd.ram.truncate(KEPT);

            var statistics = served.control().statistics(ServedGuest.PATIENCE);

            frontEnd.wire.awaitClosed();
            assertEquals(new Unanswered(Reason.NO_GUEST), ServedGuest.get(statistics));
        }
        assertThatOnlyThisConnectionHasEnded();
    }

    @Test
    void pagesBehindTheEndAreGivenBackAllTheSame() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            frontEnd.ram.truncate(KEPT);

            frontEnd.inflate().pages(HandRing.range((int) (KEPT >>> 12), 100));

            assertEquals(100, served.ledger());
            assertFalse(frontEnd.wire.isClosed());
        }
    }
}
