package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.frontend.FrontEnd;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.SetMemoryOutcome;
import io.aerostat.vmm.vm.SetMemoryOutcome.Reason;
import io.aerostat.vmm.vm.SetMemoryOutcome.Refused;
import io.aerostat.vmm.vm.SetMemoryOutcome.Stalled;
import io.aerostat.vmm.vm.StatisticsOutcome;
import io.aerostat.vmm.vm.StatisticsOutcome.Unanswered;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** A served guest from its socket to its end, and what is asked of it meanwhile. */
@Timeout(60)
final class ServiceTest {
    private static final GuestSize SIZE = new GuestSize(HandFrontEnd.RAM_BYTES - 100 * 4096);

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

    // connections

    @Test
    void aSecondFrontEndIsSentAwayWithOneLineAndTheFirstServedOn() {
        try (HandFrontEnd first = HandFrontEnd.started(served.socket);
                FrontEnd second = FrontEnd.connect(served.socket)) {
            second.awaitClosed();

            first.inflate().pages(first.pfn(0));
            assertEquals(1, served.ledger());
            assertEquals(
                    List.of(
                            "WARNING guest guest: a second front-end was sent away, there is one"
                                    + " already"),
                    log.all());
        }
    }

    /** It must not be taken for a second one. */
    @Test
    void theNextFrontEndIsServedHoweverSoonItComes() {
        for (int i = 0; i < 300; i++) {
            FrontEnd last = FrontEnd.connect(served.socket);
            if (i % 2 == 0) {
                for (int message = 0; message < i; message++) {
                    last.send(3, 1, new byte[0]);
                }
            }
            last.close();
        }

        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            frontEnd.inflate().pages(frontEnd.pfn(0));
        }
        assertEquals(List.of(), log.all());
    }

    @Test
    void aFrontEndThatDoesNotReadItsRepliesLosesItsConnection() {
        try (FrontEnd frontEnd = FrontEnd.connect(served.socket)) {
            assertThrows(
                    RuntimeException.class,
                    () -> {
                        while (true) {
                            frontEnd.send(1, 1, new byte[0]);
                        }
                    });
        }
        ServedGuest.await(() -> !served.guest.isConnected(), "the connection is gone");
        assertEquals(1, log.all().size(), log.all()::toString);
    }

    @Test
    void severalGuestsAreServedByThemselves() {
        List<ServedGuest> guests = new ArrayList<>();
        List<HandFrontEnd> frontEnds = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            guests.add(ServedGuest.in(directory, "guest-" + i));
            frontEnds.add(HandFrontEnd.started(guests.get(i).socket));
        }
        for (int i = 0; i < 5; i++) {
            frontEnds.get(i).inflate().pages(frontEnds.get(i).pfns(0, 10 + i));
        }
        guests.getFirst().close();
        frontEnds.getFirst().wire.awaitClosed();

        for (int i = 1; i < 5; i++) {
            assertEquals(10 + i, guests.get(i).ledger());
            frontEnds.get(i).deflate().pages(frontEnds.get(i).pfns(0, 10));
            assertEquals(i, guests.get(i).ledger());
        }
        frontEnds.forEach(HandFrontEnd::close);
        guests.forEach(ServedGuest::close);
    }

    // the socket

    @Test
    void closeRemovesTheSocketAndEndsTheConnection() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            served.close();

            assertFalse(Files.exists(served.socket));
            frontEnd.wire.awaitClosed();
            assertFalse(served.guest.isConnected());
            served.close();
        }
    }

    @Test
    void aPathThatIsServedAlreadyIsRefusedAndNothingIsLeftOfTheAttempt() {
        Leftovers before = Leftovers.now();

        assertThrows(OsException.class, () -> ServedGuest.in(directory));
        // The look whether somebody listens was a connection, too.
        served.settle();

        assertEquals(before, Leftovers.now());
        HandFrontEnd.started(served.socket).close();
    }

    // observers

    @Test
    void anObserverMayEndTheServiceOnTheGuestsOwnThread() {
        served.guest.onChange(
                () -> {
                    if (served.guest.isConnected()) {
                        served.guest.close();
                    }
                });
        try (FrontEnd frontEnd = FrontEnd.connect(served.socket)) {
            frontEnd.awaitClosed();
            served.close();

            assertFalse(Files.exists(served.socket));
        }
    }

    @Test
    void anObserverHearsOfConnectionDriverAndActual() {
        List<String> seen = new CopyOnWriteArrayList<>();
        served.guest.onChange(
                () ->
                        seen.add(
                                served.guest.isConnected()
                                        + " "
                                        + served.guest.driver()
                                        + " "
                                        + served.control()
                                                .attached()
                                                .map(now -> now.device().actualPages())
                                                .orElse(0L)));
        try (HandFrontEnd frontEnd = HandFrontEnd.greeted(served.socket)) {
            ServedGuest.await(() -> seen.contains("true ABSENT 0"), "connected");
            frontEnd.start();
            ServedGuest.await(() -> seen.contains("true UP 0"), "up");
            frontEnd.inflate().pages(frontEnd.pfns(0, 5));
            frontEnd.actual(5);
            ServedGuest.await(() -> seen.contains("true UP 5"), "inflated");
        }
        ServedGuest.await(() -> seen.getLast().equals("false ABSENT 0"), "gone");
    }

    // what is asked of it

    @Test
    void aTargetBeforeThereIsRamIsWorkedOutWhenItComes() {
        CompletableFuture<SetMemoryOutcome> outcome =
                served.control().setMemory(SIZE, ServedGuest.PATIENCE);
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            assertEquals(100, frontEnd.numPages());
            frontEnd.inflate().pages(frontEnd.pfns(0, 100));
            frontEnd.actual(100);

            assertEquals(
                    "Reached[balloon=BalloonSize[pages=100]]", ServedGuest.get(outcome).toString());
        }
    }

    @Test
    void lessThanTheFloorIsRefused() {
        GuestSize floor = new GuestSize(8 << 20);
        VhostUserOptions options =
                VhostUserOptions.of("floored", directory.resolve("floored")).withFloor(floor);
        try (ServedGuest floored = ServedGuest.of(options)) {
            GuestSize less = new GuestSize((8 << 20) - 4096);

            assertEquals(
                    new Refused(Reason.BELOW_FLOOR),
                    ServedGuest.get(floored.control().setMemory(less, ServedGuest.PATIENCE)));
        }
    }

    @Test
    void withoutAGuestPromisesEndAtTheirDeadline() {
        assertEquals(
                new Stalled(Reason.NO_GUEST),
                ServedGuest.get(served.control().setMemory(SIZE, Duration.ofMillis(5))));
        assertEquals(
                new Unanswered(StatisticsOutcome.Reason.NO_GUEST),
                ServedGuest.get(served.control().statistics(ServedGuest.PATIENCE)));
    }

    @Test
    void withoutADriverPromisesEndAtTheirDeadline() {
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            frontEnd.stop();

            assertEquals(
                    new Stalled(Reason.NO_DRIVER),
                    ServedGuest.get(served.control().setMemory(SIZE, Duration.ofMillis(5))));
            assertEquals(
                    new Unanswered(StatisticsOutcome.Reason.NO_DRIVER),
                    ServedGuest.get(served.control().statistics(Duration.ofMillis(5))));
        }
    }

    @Test
    void aGuestThatGoesEndsItsQuestionsAndTheTargetStands() {
        CompletableFuture<SetMemoryOutcome> size;
        try (HandFrontEnd frontEnd = HandFrontEnd.started(served.socket)) {
            size = served.control().setMemory(SIZE, ServedGuest.PATIENCE);
            var statistics = served.control().statistics(ServedGuest.PATIENCE);
            served.settle();
            frontEnd.wire.close();

            assertEquals(
                    new Unanswered(StatisticsOutcome.Reason.NO_GUEST), ServedGuest.get(statistics));
        }
        assertFalse(size.isDone());
        served.close();
        assertEquals(new Stalled(Reason.CLOSED), ServedGuest.get(size));
        assertEquals(
                new Stalled(Reason.CLOSED),
                ServedGuest.get(served.control().setMemory(SIZE, ServedGuest.PATIENCE)));
    }

    /** Whatever moment it falls into. */
    @Test
    void everythingThatIsAskedWhileItIsClosedComesToAnEnd() throws InterruptedException {
        for (int round = 0; round < 60; round++) {
            ServedGuest closing = ServedGuest.in(directory, "closing");
            List<Future<?>> asked = new CopyOnWriteArrayList<>();
            AtomicInteger late = new AtomicInteger();
            Thread asker =
                    new Thread(
                            () -> {
                                while (late.get() < 20) {
                                    asked.add(
                                            closing.control()
                                                    .setMemory(SIZE, ServedGuest.PATIENCE));
                                    asked.add(closing.control().statistics(ServedGuest.PATIENCE));
                                    if (!Files.exists(closing.socket)) {
                                        late.incrementAndGet();
                                    }
                                }
                            });
            asker.start();
            ServedGuest.await(() -> asked.size() > 20, "it asks");
            closing.close();
            asker.join();

            for (Future<?> future : asked) {
                ServedGuest.get(future);
            }
        }
        assertTrue(log.all().isEmpty(), log.all()::toString);
    }
}
