package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.frontend.OpenDescriptors;
import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;
import io.aerostat.vmm.os.UnixSockets;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;
import io.aerostat.vmm.vm.DriverState;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;

/** When a ring runs, and what is told about it while it does. */
@Timeout(60)
final class RingLifeTest {
    private static final long FEATURES = HandFrontEnd.FEATURES | ProtocolFeature.PRESENT;

    @TempDir Path directory;
    private final LogLines log = new LogLines();
    private ServedGuest served;
    private HandFrontEnd frontEnd;
    private HandRing inflate;

    @BeforeEach
    void connect() {
        served = ServedGuest.in(directory);
        frontEnd = HandFrontEnd.greeted(served.socket);
        inflate = frontEnd.inflate();
    }

    @AfterEach
    void close() {
        frontEnd.close();
        served.close();
        log.close();
    }

    /** A page that has been offered and kicked is served, or not. */
    private boolean isServed(int page) {
        int before = inflate.usedIndex();
        inflate.offer(frontEnd.pfn(page));
        inflate.kick();
        served.settle();
        return inflate.usedIndex() != before;
    }

    @Test
    void aRingRunsOnceItIsEnabledAfterItsKick() {
        frontEnd.features(FEATURES);
        frontEnd.table();
        frontEnd.setUp(inflate, 0);
        assertFalse(isServed(0));
        assertEquals(DriverState.ABSENT, served.guest.driver());

        frontEnd.enable(0, true);
        served.settle();

        assertEquals(1, inflate.usedIndex(), "what waited is served without another kick");
        assertEquals(DriverState.UP, served.guest.driver());
        assertTrue(isServed(1));
    }

    @Test
    void aRingRunsOnceItHasItsKickAfterItWasEnabled() {
        frontEnd.features(FEATURES);
        frontEnd.enable(0, true);
        frontEnd.table();
        frontEnd.num(0, HandRing.SIZE);
        frontEnd.base(0, 0);
        frontEnd.addresses(inflate);
        assertFalse(isServed(0));

        frontEnd.kick(inflate);
        served.settle();

        assertEquals(1, inflate.usedIndex());
    }

    @Test
    void aRingRunsOnceThereIsRamWhenThatComesLast() {
        frontEnd.features(FEATURES);
        frontEnd.setUp(inflate, 0);
        frontEnd.enable(0, true);
        assertFalse(isServed(0));

        frontEnd.table();
        served.settle();

        assertEquals(1, inflate.usedIndex());
        assertTrue(isServed(1));
    }

    @Test
    void withoutProtocolFeaturesAmongTheFeaturesARingRunsByItsKickAlone() {
        frontEnd.features(HandFrontEnd.FEATURES);
        frontEnd.table();
        frontEnd.setUp(inflate, 0);

        assertTrue(isServed(0));
    }

    @Test
    void enableForRingsOfWhichNothingElseIsKnownIsIgnored() {
        frontEnd.start();

        frontEnd.enable(3, true);
        frontEnd.enable(4, true);
        frontEnd.enable(4, false);

        assertTrue(isServed(0));
        assertEquals(List.of(), log.all());
    }

    @Test
    void aDisabledRingIsLeftAloneAndGoesOnWhereItStood() {
        frontEnd.start();
        assertTrue(isServed(0));

        frontEnd.enable(0, false);
        assertFalse(isServed(1));
        frontEnd.enable(0, true);
        served.settle();

        assertEquals(2, inflate.usedIndex());
        assertEquals(2, served.ledger());
    }

    @Test
    void theBaseIsWhereTheRingStoodAndAskingStopsIt() {
        frontEnd.start();
        for (int page = 0; page < 5; page++) {
            assertTrue(isServed(page));
        }

        assertEquals(5, frontEnd.base(0));

        assertFalse(isServed(5));
        frontEnd.enable(0, true);
        served.settle();
        assertEquals(5, inflate.usedIndex(), "it has no kick any more");
        assertEquals(5, frontEnd.base(0), "asked again");
        assertEquals(0, frontEnd.base(4), "never set up");
    }

    @Test
    void theBaseOfARingThatNeverRanIsTheOneThatWasTold() {
        frontEnd.features(FEATURES);
        frontEnd.base(1, 1234);

        assertEquals(1234, frontEnd.base(1));
    }

    @Test
    void aRingPassesTheWrapOfItsIndex() {
        frontEnd.start();
        for (int request = 0; request < 65_536 + 10; request++) {
            inflate.offer(frontEnd.pfn(request % 1000));
            if (request % 32 == 31) {
                inflate.kick();
                for (int i = 0; i < 32; i++) {
                    ServedGuest.await(inflate::takeBack, "all are back");
                }
            }
        }
        inflate.kick();
        served.settle();

        assertEquals(10, frontEnd.base(0));
        assertEquals(10, inflate.usedIndex());
    }

    @Test
    void interruptsGoToTheLastCallDescriptor() {
        frontEnd.start();
        assertTrue(isServed(0));
        assertTrue(inflate.takeInterrupt());

        try (Descriptor other = EventDescriptors.create()) {
            frontEnd.wire.tell(Request.SET_VRING_CALL, Payload.number(0), other);
            assertTrue(isServed(1));

            assertTrue(EventDescriptors.drain(other));
            assertFalse(inflate.takeInterrupt());
        }
    }

    @Test
    void aRingWithoutCallDescriptorIsServedAndPolled() {
        frontEnd.start();

        frontEnd.wire.tell(Request.SET_VRING_CALL, Payload.number(256));
        assertTrue(isServed(0));

        assertFalse(inflate.takeInterrupt());
    }

    @Test
    void aDescriptorThatIsReplacedIsClosed() {
        frontEnd.start();
        frontEnd.wire.tell(Request.SET_VRING_ERR, Payload.number(4), inflate.error);
        frontEnd.wire.tell(Request.SET_VRING_CALL, Payload.number(4), inflate.call);
        long before = OpenDescriptors.of(OpenDescriptors.EVENT);

        for (int i = 0; i < 20; i++) {
            for (int ring : new int[] {0, 4}) {
                frontEnd.wire.tell(Request.SET_VRING_CALL, Payload.number(ring), inflate.call);
                frontEnd.wire.tell(Request.SET_VRING_ERR, Payload.number(ring), inflate.error);
            }
            frontEnd.wire.tell(Request.SET_VRING_KICK, Payload.number(0), inflate.kick);
        }

        assertEquals(before, OpenDescriptors.of(OpenDescriptors.EVENT));
        assertTrue(isServed(0));
    }

    @Test
    void whatIsToldOfARunningRingIsTakenAndItGoesOn() {
        frontEnd.start();
        assertTrue(isServed(0));

        frontEnd.kick(inflate);
        assertTrue(isServed(1));
        frontEnd.num(0, HandRing.SIZE);
        assertTrue(isServed(2));
        frontEnd.addresses(inflate);
        assertTrue(isServed(3));
        frontEnd.base(0, 4);
        assertTrue(isServed(4));

        assertEquals(5, served.ledger());
        assertEquals(5, frontEnd.base(0));
    }

    @Test
    void ramThatIsToldAnewWhileRingsRunKeepsTheBalloon() {
        frontEnd.start();
        inflate.pages(frontEnd.pfns(0, 100));

        for (int i = 0; i < 5; i++) {
            frontEnd.table();
            assertTrue(isServed(100 + i));
        }

        assertEquals(105, served.ledger());
        frontEnd.deflate().pages(frontEnd.pfns(0, 105));
        assertEquals(0, served.ledger());
        assertEquals(0, served.anomalies());
        assertEquals(List.of(), log.all());
    }

    /** Nothing was inflated, so no base tells that the driver is the same. */
    @Test
    void ramThatIsToldAnewWhileRingsRunKeepsTheDriver() {
        frontEnd.start();
        frontEnd.actual(0);
        frontEnd.setConfig(12, (byte) 1, (byte) 2, (byte) 3, (byte) 4);

        frontEnd.table();
        served.settle();

        assertEquals(0x04030201, frontEnd.config(12, 4).getInt(0));
        assertEquals(DriverState.UP, served.guest.driver());
    }

    @Test
    void whoeverGivesUpOwnershipStopsAllRings() {
        frontEnd.start();
        assertTrue(isServed(0));

        frontEnd.wire.tell(Request.RESET_OWNER, Payload.none());

        assertFalse(isServed(1));
        assertEquals(DriverState.ABSENT, served.guest.driver());
        assertEquals(1, frontEnd.base(0));
    }

    @Test
    void aKickDescriptorThatIsHungUpDoesNotKeepTheThreadBusy() throws Exception {
        frontEnd.start();
        Descriptor[] pair = UnixSockets.pair();
        frontEnd.wire.tell(Request.SET_VRING_KICK, Payload.number(0), pair[1]);
        pair[1].close();
        assertTrue(EventDescriptors.signal(pair[0]));
        inflate.offer(frontEnd.pfn(0));
        assertTrue(EventDescriptors.signal(pair[0]));
        ServedGuest.await(inflate::takeBack, "a socket kicks, too");
        pair[0].close();
        served.settle();

        long startNs = cpuNs();
        Thread.sleep(200);

        assertTrue(cpuNs() - startNs < 100_000_000, "ns: " + (cpuNs() - startNs));
        assertFalse(frontEnd.wire.isClosed());
    }

    private static long cpuNs() {
        var threads = ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (var info : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (info != null && info.getThreadName().equals("aerostat-guest-guest")) {
                sum += threads.getThreadCpuTime(info.getThreadId());
            }
        }
        return sum;
    }
}
