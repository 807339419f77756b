package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** How guests begin and end. */
final class RealGuestBootTest {
    @RegisterExtension static final ServedGuests GUESTS = new ServedGuests();

    @Test
    void aTargetFromBeforeTheGuestStandsAndIsReached() throws Exception {
        ServedGuest guest = GUESTS.serve(BalloonOptions.DEFAULT);
        GuestSize wanted = new GuestSize(40L << 20);

        CompletableFuture<SetMemoryOutcome> promise =
                guest.host().control().setMemory(wanted, Await.SOON);
        guest.boot(ServedGuests.SMALL.withBalloonLoaded());
        SetMemoryOutcome outcome = ServedGuest.outcome(promise);

        assertEquals(Optional.of(wanted), guest.host().control().wanted());
        SetMemoryOutcome.Reached reached =
                assertInstanceOf(SetMemoryOutcome.Reached.class, outcome);
        GuestSize maximum = guest.host().control().attached().orElseThrow().maximum();
        assertEquals(wanted, reached.balloon().guestWithin(maximum));
        guest.assertAllAgreeOn(reached.balloon().pages());
    }

    /** The addresses below its RAM cost it memory too: up to 14 MiB. */
    @Test
    void aGuestWithRandomAddressesIsServed() throws Exception {
        ServedGuest guest =
                GUESTS.serve(BalloonOptions.DEFAULT)
                        .boot(ServedGuests.USUAL.withRandomAddresses())
                        .load();
        guest.dirty(100);
        long dirty = guest.residentBytes();

        guest.inflateTo(48_000);

        guest.assertGivenBack();
        assertTrue(guest.residentBytes() < dirty, dirty + " to " + guest.residentBytes());
        guest.inflateTo(0);
    }

    @Test
    void aGuestThatIsSwitchedOffTakesItsPagesBackFirst() throws Exception {
        ServedGuest guest = GUESTS.serve(BalloonOptions.DEFAULT).boot(ServedGuests.SMALL).load();
        guest.inflateTo(4_000);
        // Read later: with its RAM the balloon goes as well.
        var counters = guest.device().counters();

        assertEquals(0, guest.linux().powerOff(Await.SOON));

        guest.awaitGone();
        assertEquals(0, counters.anomalies());
    }

    @Test
    void aSecondGuestMayComeAfterTheFirst() throws Exception {
        ServedGuest guest = GUESTS.serve(BalloonOptions.DEFAULT).boot(ServedGuests.SMALL).load();
        guest.inflateTo(4_000);
        guest.linux().close();
        guest.awaitGone();

        guest.boot(ServedGuests.SMALL).load();

        Await.until("the target stands", () -> guest.ledgerPages() == 4_000);
        guest.assertGivenBack();
        guest.assertHonest();
    }
}
