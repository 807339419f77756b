package io.aerostat.vmm.monitor.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.monitor.GuestMonitor;
import io.aerostat.vmm.monitor.MonitorLoop;
import io.aerostat.vmm.monitor.SteppedGuest;
import io.aerostat.vmm.monitor.message.QmpError;
import io.aerostat.vmm.monitor.message.QmpErrorClass;
import io.aerostat.vmm.monitor.message.QmpJson;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The client, against our server and against servers that are none. */
@Timeout(60)
final class QmpClientTest {
    private static final Duration SOON = Duration.ofMillis(20);
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir private Path folder;
    private final MonitorLoop loop = new MonitorLoop();
    private final SteppedGuest guest = SteppedGuest.running("a", 0);
    private Path socket;
    private GuestMonitor monitor;

    @BeforeEach
    void open() throws IOException {
        socket = folder.resolve("s");
        monitor = loop.open(guest, socket);
    }

    @AfterEach
    void close() {
        monitor.close();
        loop.close();
    }

    @Test
    void runsCommands() throws IOException, QmpError {
        try (QmpClient client = QmpClient.connect(socket, LONG)) {
            assertEquals(
                    "a",
                    client.execute("query-name", QmpJson.object(), LONG).path("name").asText());
            assertTrue(
                    client.execute(
                                    "qom-get",
                                    QmpJson.object()
                                            .put("path", "balloon0")
                                            .put("property", "guest-stats"),
                                    LONG)
                            .has("stats"));
        }
    }

    @Test
    void throwsErrorsWithTheirClass() throws IOException, QmpError {
        try (QmpClient client = QmpClient.connect(socket, LONG)) {
            QmpError e =
                    assertThrows(
                            QmpError.class, () -> client.execute("fly", QmpJson.object(), LONG));

            assertEquals(QmpErrorClass.COMMAND_NOT_FOUND, e.errorClass());
            assertEquals("The command fly has not been found", e.description());
        }
    }

    @Test
    void keepsEventsThatComeBetween() throws IOException, QmpError {
        try (QmpClient client = QmpClient.connect(socket, LONG)) {
            guest.balloon(1);
            client.execute("query-name", QmpJson.object(), LONG);
            client.execute("query-name", QmpJson.object(), LONG);

            assertEquals("BALLOON_CHANGE", client.awaitEvent(LONG).path("event").asText());
            assertThrows(SocketTimeoutException.class, () -> client.awaitEvent(SOON));
        }
    }

    @Test
    void doesNotWaitBeyondItsDeadline() throws IOException, QmpError {
        try (QmpClient client = QmpClient.connect(socket, LONG)) {
            assertThrows(
                    SocketTimeoutException.class,
                    () ->
                            client.execute(
                                    "__io.aerostat_set-memory",
                                    QmpJson.object().put("size", 4096),
                                    SOON));
        }
    }

    @Test
    void noticesThatTheServerHasGone() throws IOException, QmpError {
        try (QmpClient client = QmpClient.connect(socket, LONG)) {
            monitor.close();

            assertThrows(
                    IOException.class, () -> client.execute("query-name", QmpJson.object(), LONG));
        }
        assertThrows(IOException.class, () -> QmpClient.connect(socket, LONG));
    }

    @Test
    void doesNotTakeAnythingForAServer() throws IOException {
        assertThrows(SocketTimeoutException.class, () -> connectToOneThatSays(""));
        assertThrows(IOException.class, () -> connectToOneThatSays("220 mail\n"));
        assertThrows(IOException.class, () -> connectToOneThatSays("{\"hello\":1}\n"));
        assertThrows(EOFException.class, () -> connectToOneThatSays("\0"));
        QmpError e =
                assertThrows(
                        QmpError.class,
                        () ->
                                connectToOneThatSays(
                                        "{\"error\":{\"class\":\"New\",\"desc\":\"full\"}}\r\n"));
        assertEquals("full", e.description());
        assertEquals(QmpErrorClass.GENERIC_ERROR, e.errorClass());
    }

    /** With "\0" it closes instead. */
    private void connectToOneThatSays(String text) throws IOException, QmpError {
        Path path = folder.resolve("other");
        Files.deleteIfExists(path);
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            Thread speaker = Thread.ofVirtual().start(() -> speak(server, text));
            try {
                QmpClient.connect(path, text.isEmpty() ? SOON : LONG).close();
            } finally {
                speaker.interrupt();
            }
        }
    }

    private static void speak(ServerSocketChannel server, String text) {
        try (SocketChannel peer = server.accept()) {
            if (!text.equals("\0")) {
                peer.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
                peer.read(ByteBuffer.allocate(1));
            }
        } catch (IOException e) {
            // The test is over.
        }
    }
}
