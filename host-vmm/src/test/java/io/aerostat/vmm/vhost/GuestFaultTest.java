package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;
import io.aerostat.vmm.vm.DriverState;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.file.Path;
import java.time.Duration;

/** What a guest does wrong stops a ring; the front-end is not to blame. */
@Timeout(60)
final class GuestFaultTest {
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

    private void awaitFault(HandRing ring) {
        ServedGuest.await(ring::takeError, "the error is signalled");
        assertEquals(DriverState.BROKEN, served.guest.driver());
        assertFalse(frontEnd.wire.isClosed());
    }

    @ParameterizedTest
    @EnumSource
    void aBrokenRingStopsAndTheOthersGoOnUntilAFreshStart(Fault fault) {
        frontEnd.deflate().pages(frontEnd.pfn(500));
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));

        fault.happenOn(frontEnd.inflate());
        frontEnd.inflate().kick();

        awaitFault(frontEnd.inflate());
        frontEnd.deflate().pages(frontEnd.pfns(0, 4));
        assertEquals(6, served.ledger());
        int used = frontEnd.inflate().usedIndex();
        frontEnd.inflate().kick();
        served.settle();
        assertEquals(used, frontEnd.inflate().usedIndex());
        assertFalse(frontEnd.inflate().takeError(), "told once");

        frontEnd.start();
        assertEquals(DriverState.UP, served.guest.driver());
        frontEnd.inflate().pages(frontEnd.pfns(0, 3));
        assertEquals(3, served.ledger());
        assertFalse(frontEnd.inflate().takeError());
    }

    /** How a guest breaks a ring that runs. */
    enum Fault {
        INDEX_JUMP {
            @Override
            void happenOn(HandRing ring) {
                ring.availableRing().putShort(2, 5000);
            }
        },
        HEAD_OUT_OF_RANGE {
            @Override
            void happenOn(HandRing ring) {
                ring.availableRing().putShort(4 + 2 * 1, HandRing.SIZE);
                ring.availableRing().putShort(2, 2);
            }
        },
        LOOP {
            @Override
            void happenOn(HandRing ring) {
                ring.descriptorTable().putLong(0, ring.gpa + 0x8000);
                ring.descriptorTable().putInt(8, 4);
                ring.descriptorTable().putShort(12, 1);
                ring.descriptorTable().putShort(14, 0);
                ring.availableRing().putShort(4 + 2 * 1, 0);
                ring.availableRing().putShort(2, 2);
            }
        },
        BUFFER_OUTSIDE_OF_RAM {
            @Override
            void happenOn(HandRing ring) {
                ring.offer(HandFrontEnd.RAM_BYTES, 64, false);
            }
        };

        abstract void happenOn(HandRing ring);
    }

    @Test
    void aPromiseSaysThatTheDeviceNeedsAReset() {
        Fault.INDEX_JUMP.happenOn(frontEnd.inflate());
        frontEnd.inflate().kick();
        awaitFault(frontEnd.inflate());

        var outcome = ServedGuest.get(served.balloonOf(10, Duration.ofMillis(20)));

        assertEquals(new Stalled(Reason.NEEDS_RESET), outcome);
    }

    @Test
    void aRingInABalloonedPageStopsAtItsStart() {
        int ballooned = (int) ((HandRing.BYTES * 3) >>> 12);
        frontEnd.inflate().pages(ballooned);
        long before = served.ledger();
        try (HandRing moved =
                new HandRing(frontEnd.ram.memory(), HandFrontEnd.STATS, 3 * HandRing.BYTES)) {
            frontEnd.enable(HandFrontEnd.STATS, false);
            frontEnd.setUp(moved, 0);
            frontEnd.enable(HandFrontEnd.STATS, true);

            awaitFault(moved);
            frontEnd.deflate().pages(ballooned);
            assertEquals(before - 1, served.ledger());

            frontEnd.enable(HandFrontEnd.STATS, false);
            frontEnd.enable(HandFrontEnd.STATS, true);
            assertEquals(DriverState.UP, served.guest.driver(), "the page is the guest's again");
        }
    }

    @Test
    void aMisalignedRingStopsAtItsStartWhereItWasTold() {
        frontEnd.stop();
        frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
        frontEnd.setUp(frontEnd.inflate(), 0);
        frontEnd.setUp(frontEnd.deflate(), 7);
        long start = frontEnd.ram.userAddress(frontEnd.deflate().gpa);
        frontEnd.wire.tell(
                Request.SET_VRING_ADDR,
                Payload.addresses(HandFrontEnd.DEFLATE, start + 4, start + 0x2000, start + 0x1000));
        frontEnd.enable(HandFrontEnd.INFLATE, true);
        frontEnd.enable(HandFrontEnd.DEFLATE, true);

        awaitFault(frontEnd.deflate());

        frontEnd.inflate().pages(frontEnd.pfn(0));
        assertEquals(7, frontEnd.base(HandFrontEnd.DEFLATE));
        assertEquals(DriverState.UP, served.guest.driver(), "the other one is");
    }

    @Test
    void aRingOfAnImpossibleSizeStopsAtItsStart() {
        frontEnd.num(HandFrontEnd.INFLATE, 63);
        awaitFault(frontEnd.inflate());

        frontEnd.num(HandFrontEnd.INFLATE, HandRing.SIZE);
        frontEnd.inflate().pages(frontEnd.pfn(0));

        assertEquals(DriverState.UP, served.guest.driver());
    }

    @Test
    void aRingThatIsToGoOnWhereItCannotHaveBeenStops() {
        frontEnd.base(HandFrontEnd.INFLATE, 1000);

        frontEnd.inflate().offer(frontEnd.pfn(0));
        frontEnd.inflate().kick();
        awaitFault(frontEnd.inflate());

        assertEquals(0, frontEnd.inflate().usedIndex());
    }

    @Test
    void ramThatIsToldAnewDoesNotHealABrokenRing() {
        frontEnd.inflate().pages(frontEnd.pfns(0, 10));
        Fault.INDEX_JUMP.happenOn(frontEnd.inflate());
        frontEnd.inflate().kick();
        awaitFault(frontEnd.inflate());

        frontEnd.table();

        assertEquals(DriverState.BROKEN, served.guest.driver());
        assertEquals(10, served.ledger());
        frontEnd.deflate().pages(frontEnd.pfns(0, 10));
        assertEquals(0, served.ledger());
    }

    @Test
    void aFaultIsNoReasonToEndTheServiceOfOthers() {
        try (ServedGuest other = ServedGuest.in(directory, "other");
                HandFrontEnd otherFrontEnd = HandFrontEnd.started(other.socket)) {
            Fault.LOOP.happenOn(frontEnd.inflate());
            frontEnd.inflate().kick();

            otherFrontEnd.inflate().pages(otherFrontEnd.pfns(0, 10));

            assertEquals(10, other.ledger());
            assertEquals(DriverState.UP, other.guest.driver());
        }
    }
}
