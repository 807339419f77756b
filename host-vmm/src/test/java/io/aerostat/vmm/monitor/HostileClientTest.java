package io.aerostat.vmm.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.aerostat.virtio.testkit.Seeds;
import io.aerostat.vmm.vm.SetMemoryOutcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** Clients that mean no good: others are served all the same, in bounded memory. */
@Timeout(120)
final class HostileClientTest {
    private static final String NAME = "{\"return\":{\"name\":\"a\"}}";
    private static final String QUERY = "{\"execute\":\"query-name\"}";

    private MonitorRig rig;
    private RawClient decent;

    @BeforeEach
    void open(@TempDir Path folder) throws IOException {
        rig = new MonitorRig(folder, SteppedGuest.running("a", 0));
        decent = rig.client();
    }

    @AfterEach
    void theDecentClientIsServed() throws IOException {
        assertEquals(NAME, decent.ask(QUERY));
        decent.close();
        rig.close();
    }

    @Test
    void endsAConnectionWhoseMessageIsTooLong() throws IOException {
        try (RawClient hostile = rig.client()) {
            assertThrows(
                    IOException.class,
                    () -> {
                        while (true) {
                            hostile.send("{\"execute\":\"" + "x".repeat(10_000));
                        }
                    });
        }
        try (RawClient hostile = rig.client()) {
            hostile.send("{\"execute\":\"" + "x".repeat(QmpConnection.MAX_MESSAGE_BYTES));

            assertEquals(
                    "{\"error\":{\"class\":\"GenericError\",\"desc\":\"JSON message is longer than"
                            + " 65536 bytes\"}}",
                    hostile.line());
            assertEquals("", hostile.line());
        }
    }

    @Test
    void servesAMessageThatIsJustNotTooLong() throws IOException {
        String id = "x".repeat(QmpConnection.MAX_MESSAGE_BYTES - 100);

        assertEquals(
                "{\"return\":{\"name\":\"a\"},\"id\":\"" + id + "\"}",
                decent.ask("{\"execute\":\"query-name\",\"id\":\"" + id + "\"}"));
    }

    @Test
    void refusesDeepNesting() throws IOException {
        int depth = 20_000;
        try (RawClient hostile = rig.client()) {
            String answer =
                    hostile.ask(
                            "{\"id\":" + "[".repeat(depth) + "]".repeat(depth) + ",\"execute\":5}");

            assertTrue(answer.contains("JSON parse error"), answer);
            assertTrue(answer.contains("depth"), answer);
            assertEquals(NAME, hostile.ask(QUERY));
        }
    }

    @Test
    void limitsHowManyAreConnected() throws IOException {
        List<RawClient> clients = new ArrayList<>();
        for (int i = 1; i < GuestMonitor.MAX_CONNECTIONS; i++) {
            RawClient client = new RawClient(rig.socket);
            assertTrue(client.line().startsWith("{\"QMP\""));
            clients.add(client);
        }
        for (int i = 0; i < 100; i++) {
            try (RawClient surplus = new RawClient(rig.socket)) {
                assertTrue(surplus.line().contains("too many clients: 16 are connected"));
                assertEquals("", surplus.line());
            }
        }

        clients.removeFirst().close();

        assertTrue(hasRoomSoon());
        for (RawClient client : clients) {
            client.close();
        }
    }

    /** That a client has gone is noticed a moment later. */
    private boolean hasRoomSoon() throws IOException {
        while (true) {
            try (RawClient next = new RawClient(rig.socket)) {
                if (next.line().startsWith("{\"QMP\"")) {
                    return true;
                }
            }
        }
    }

    @Test
    void doesNotListenToAClientThatDoesNotRead() throws IOException {
        try (RawClient hostile = rig.client()) {
            hostile.channel.configureBlocking(false);
            ByteBuffer request =
                    ByteBuffer.wrap("{\"execute\":\"query-commands\"}".getBytes(UTF_8));
            while (hostile.channel.write(request.rewind()) > 0) {
                assertEquals(NAME, decent.ask(QUERY));
            }

            assertEquals(0, hostile.channel.write(request.rewind()));
        }
    }

    @Test
    void endsAConnectionThatDoesNotReadItsEvents() throws IOException {
        try (RawClient hostile = rig.client()) {
            String events = "BALLOON_CHANGE";
            int seconds = 2 * QmpConnection.MAX_UNREAD_BYTES / events.length();
            for (int i = 0; i < seconds; i++) {
                rig.guest.balloon(i % 2);
                rig.advance(Duration.ofSeconds(1));
                assertTrue(decent.line().contains(events));
            }

            while (!hostile.line().isEmpty()) {
                seconds--;
            }
            assertTrue(seconds > 0, "some never came");
        }
    }

    @Test
    void limitsHowManyCommandsWaitForTheGuest() throws IOException {
        try (RawClient hostile = rig.client()) {
            String wait = "{'execute':'__io.aerostat_set-memory','arguments':{'size':4096}}";
            for (int i = 0; i < QmpConnection.MAX_WAITING; i++) {
                hostile.send(wait);
            }

            assertTrue(hostile.ask(wait).contains("too many commands wait for the guest: 64"));
        }
    }

    @Test
    void outlivesManyLinesOfGarbageAtOnce() throws IOException {
        int lines = 2_000;
        try (RawClient hostile = rig.client()) {
            hostile.send("x\n".repeat(lines));

            for (int i = 0; i < lines; i++) {
                assertTrue(hostile.line().contains("JSON parse error"));
            }
            assertEquals(NAME, hostile.ask(QUERY));
        }
    }

    static LongStream seeds() {
        return Seeds.first(3);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void outlivesRandomBytes(long seed) throws IOException {
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            try (RawClient hostile = rig.client()) {
                byte[] bytes = new byte[1 + random.nextInt(5_000)];
                random.nextBytes(bytes);
                for (int i = 0; i < bytes.length / 10; i++) {
                    bytes[random.nextInt(bytes.length)] =
                            (byte) "{}[]\"'\n:,".charAt(random.nextInt(9));
                }
                hostile.channel.write(ByteBuffer.wrap(bytes));
            }
        }
    }

    @Test
    void outlivesClientsThatLeaveInTheMiddle() throws IOException {
        for (int round = 0; round < 100; round++) {
            try (RawClient hostile = rig.client()) {
                hostile.send("{'execute':'__io.aerostat_set-memory','arguments':{'size':4096}}{");
            }
        }
        assertEquals(NAME, decent.ask(QUERY));
        rig.guest.setMemoryCalls.forEach(
                call -> call.end().complete(new SetMemoryOutcome.Superseded()));
    }
}
