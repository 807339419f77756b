package io.aerostat.vmm.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** A monitor's socket: whose it is, what it replaces, and that it goes away. */
@Timeout(60)
final class GuestMonitorTest {
    @TempDir private Path folder;
    private final MonitorLoop loop = new MonitorLoop();
    private final SteppedGuest guest = SteppedGuest.running("a", 0);

    @AfterEach
    void endTheThread() {
        loop.close();
    }

    @Test
    void isForItsUserAlone() throws IOException {
        Path socket = folder.resolve("s");

        loop.open(guest, socket);

        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
    }

    @Test
    void removesItsSocketAndEndsItsConnectionsWhenItIsClosed() throws IOException {
        Path socket = folder.resolve("s");
        GuestMonitor monitor = loop.open(guest, socket);
        try (RawClient client = RawClient.negotiated(socket)) {
            monitor.close();

            assertEquals("", client.line());
            assertFalse(Files.exists(socket));
            monitor.close();
            guest.balloon(5);
        }
    }

    @Test
    void mayBeClosedByTheGuestThatQuits() throws IOException {
        Path socket = folder.resolve("s");
        GuestMonitor monitor = loop.open(guest, socket);
        guest.onQuit(monitor::close);
        try (RawClient client = RawClient.negotiated(socket)) {
            assertEquals("{\"return\":{}}", client.ask("{'execute':'quit'}"));
            assertTrue(client.line().contains("SHUTDOWN"));
            assertEquals("", client.line());
        }
    }

    @Test
    void replacesASocketThatNobodyListensTo() throws IOException {
        Path socket = folder.resolve("s");
        ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        dead.bind(UnixDomainSocketAddress.of(socket));
        dead.close();
        assertTrue(Files.exists(socket));

        loop.open(guest, socket);

        RawClient.negotiated(socket).close();
    }

    @Test
    void leavesASocketAloneThatSomebodyListensTo() throws IOException {
        Path socket = folder.resolve("s");
        loop.open(guest, socket);

        IOException e = assertThrows(IOException.class, () -> loop.open(guest, socket));

        assertEquals("somebody listens there already: " + socket, e.getMessage());
        RawClient.negotiated(socket).close();
    }

    @Test
    void leavesOtherFilesAlone() throws IOException {
        Path file = Files.writeString(folder.resolve("s"), "precious");

        IOException e = assertThrows(IOException.class, () -> loop.open(guest, file));

        assertEquals("a file that is no socket is there already: " + file, e.getMessage());
        assertEquals("precious", Files.readString(file));
    }

    @Test
    void saysThatAPathIsTooLong() throws IOException {
        String most = "x".repeat(106 - folder.toString().length() - 1);
        loop.open(guest, folder.resolve(most)).close();

        IOException e =
                assertThrows(IOException.class, () -> loop.open(guest, folder.resolve(most + "x")));

        assertTrue(
                e.getMessage().startsWith("a socket's path has at most 106 bytes, this one 107"),
                e.getMessage());
    }

    @Test
    void servesSeveralGuestsOnOneThread() throws IOException {
        loop.open(guest, folder.resolve("a"));
        loop.open(SteppedGuest.running("b", 0), folder.resolve("b"));

        try (RawClient first = RawClient.negotiated(folder.resolve("a"));
                RawClient second = RawClient.negotiated(folder.resolve("b"))) {
            assertTrue(first.ask("{'execute':'query-name'}").contains("\"a\""));
            assertTrue(second.ask("{'execute':'query-name'}").contains("\"b\""));
        }
    }
}
