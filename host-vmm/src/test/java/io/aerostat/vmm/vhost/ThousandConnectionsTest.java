package io.aerostat.vmm.vhost;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aerostat.vmm.frontend.FrontEnd;
import io.aerostat.vmm.frontend.FrontEndRam;
import io.aerostat.vmm.frontend.Payload;
import io.aerostat.vmm.vhost.message.ProtocolFeature;
import io.aerostat.vmm.vhost.message.Request;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.Arrays;

/** Front-ends that go at every point of their life leave nothing behind. */
@Timeout(120)
final class ThousandConnectionsTest {
    private static final int CONNECTIONS = 1000;

    @TempDir Path directory;
    private final LogLines log = new LogLines();

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void leaveNoDescriptorMappingThreadOrBufferBehind() {
        Leftovers unserved = Leftovers.now();
        try (ServedGuest served = ServedGuest.in(directory)) {
            for (int i = 0; i < 20; i++) {
                connectAndGo(served, i);
            }
            Leftovers before = awaitGone(served);

            for (int i = 0; i < CONNECTIONS; i++) {
                connectAndGo(served, i);
            }

            assertEquals(before, awaitGone(served));
            try (HandFrontEnd last = HandFrontEnd.started(served.socket)) {
                last.inflate().pages(last.pfns(0, 10));
                assertEquals(10, served.ledger());
                assertEquals(0, served.anomalies());
            }
        }
        assertEquals(unserved, Leftovers.now());
    }

    @Test
    void servicesThatComeAndGoLeaveNothingBehind() {
        Leftovers before = Leftovers.now();

        for (int i = 0; i < 100; i++) {
            try (ServedGuest served = ServedGuest.in(directory)) {
                connectAndGo(served, i);
            }
        }

        assertEquals(before, Leftovers.now());
    }

    private static Leftovers awaitGone(ServedGuest served) {
        ServedGuest.await(() -> !served.guest.isConnected(), "the last one is gone");
        served.settle();
        return Leftovers.now();
    }

    private static void connectAndGo(ServedGuest served, int number) {
        FrontEndRam ram =
                number % 2 == 0
                        ? FrontEndRam.likeQemu(2 << 20, 2 << 20)
                        : FrontEndRam.likeUml(2 << 20);
        try (HandFrontEnd frontEnd = HandFrontEnd.silent(served.socket, ram)) {
            go(frontEnd, number % 9);
        }
    }

    /** Goes so far, and then away. */
    private static void go(HandFrontEnd frontEnd, int far) {
        if (far == 0) {
            return;
        }
        frontEnd.greet();
        switch (far) {
            case 1 -> {}
            case 2 -> frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
            case 3 -> frontEnd.table();
            case 4 -> {
                frontEnd.features(HandFrontEnd.FEATURES | ProtocolFeature.PRESENT);
                frontEnd.table();
                frontEnd.setUp(frontEnd.inflate(), 0);
            }
            case 5 -> {
                frontEnd.start();
                frontEnd.wire.sendRaw(new byte[] {5, 0, 0});
            }
            case 6 -> {
                frontEnd.start();
                // A table and its descriptors, of which the last byte is missing.
                byte[] table = Payload.table(frontEnd.ram.regions(), 2);
                byte[] whole = FrontEnd.message(Request.SET_MEM_TABLE.number(), 1, table);
                frontEnd.wire.sendRaw(Arrays.copyOf(whole, whole.length - 1), frontEnd.ram.files());
            }
            case 7 -> {
                frontEnd.start();
                frontEnd.inflate().pages(frontEnd.pfns(0, 30));
                frontEnd.stop();
            }
            default -> {
                frontEnd.start();
                frontEnd.inflate().pages(frontEnd.pfns(0, 30));
                frontEnd.table();
                frontEnd.deflate().offer(frontEnd.pfns(0, 10));
                frontEnd.deflate().kick();
            }
        }
    }
}
