package io.aerostat.vmm.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

final class ListeningSocketTest {
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;

    @TempDir Path directory;
    private Path path;

    @BeforeEach
    void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "these sockets exist on Linux alone");
        path = directory.resolve("s");
    }

    @Test
    void aConnectionIsAcceptedAndCarriesBytes() {
        try (Descriptor listener = UnixSockets.listen(path, 1);
                Descriptor client = UnixSockets.connect(path);
                Descriptor served = UnixSockets.accept(listener)) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(16);
            assertNotNull(served);

            UnixSockets.send(client, SocketPair.ascii("ping"));

            assertEquals(4, UnixSockets.receive(served, bytes, Descriptor::close));
            assertEquals(
                    UnixSockets.WOULD_BLOCK, UnixSockets.receive(client, bytes, Descriptor::close));
        }
    }

    @Test
    void acceptingDoesNotWait() {
        try (Descriptor listener = UnixSockets.listen(path, 1)) {
            assertNull(UnixSockets.accept(listener));
        }
    }

    @Test
    void allSocketsAreNonBlockingAndDoNotSurviveExecve() throws IOException {
        int wanted = O_NONBLOCK | O_CLOEXEC;
        try (Descriptor listener = UnixSockets.listen(path, 1);
                Descriptor client = UnixSockets.connect(path);
                Descriptor served = UnixSockets.accept(listener)) {
            assertNotNull(served);
            assertEquals(wanted, OpenFiles.flags(listener) & wanted);
            assertEquals(wanted, OpenFiles.flags(client) & wanted);
            assertEquals(wanted, OpenFiles.flags(served) & wanted);
        }
    }

    @Test
    void aStaleSocketFileIsReplaced() {
        UnixSockets.listen(path, 1).close();
        assertTrue(Files.exists(path));

        try (Descriptor listener = UnixSockets.listen(path, 1);
                Descriptor client = UnixSockets.connect(path);
                Descriptor served = UnixSockets.accept(listener)) {
            assertNotNull(served);
            assertTrue(client.isOpen());
        }
    }

    @Test
    void aLiveSocketIsRefusedAndGoesOnListening() {
        try (Descriptor listener = UnixSockets.listen(path, 1)) {
            assertTaken("another process listens there");

            UnixSockets.connect(path).close();
            try (Descriptor probe = UnixSockets.accept(listener);
                    Descriptor client = UnixSockets.accept(listener)) {
                assertNotNull(probe);
                assertNotNull(client);
            }
        }
    }

    // Connecting to it would wait, but listening may not.
    @Test
    void aLiveSocketWithAFullBacklogIsRefusedToo() {
        try (Descriptor listener = UnixSockets.listen(path, 1);
                Descriptor first = UnixSockets.connect(path);
                Descriptor second = UnixSockets.connect(path)) {
            assertTaken("another process listens there");
            assertTrue(listener.isOpen() && first.isOpen() && second.isOpen());
        }
    }

    @Test
    void aRegularFileIsRefusedAndKept() throws IOException {
        Files.writeString(path, "precious");

        assertTaken("it is no socket");
        assertEquals("precious", Files.readString(path));
    }

    @Test
    void aLinkToAStaleSocketIsRefused() throws IOException {
        Path stale = directory.resolve("stale");
        UnixSockets.listen(stale, 1).close();
        Files.createSymbolicLink(path, stale);

        assertTaken("it is no socket");
        assertTrue(Files.exists(stale));
    }

    @Test
    void refusalsLeaveNoSocketOpen() throws IOException {
        Files.writeString(path, "precious");
        long before = OpenFiles.count("socket:");

        for (int i = 0; i < 50; i++) {
            assertThrows(OsException.class, () -> UnixSockets.listen(path, 1));
            assertThrows(OsException.class, () -> UnixSockets.connect(path));
        }

        assertEquals(before, OpenFiles.count("socket:"));
    }

    @Test
    void aPathOf107BytesIsTheLongest() {
        Path longest = pathOf(107);
        Path tooLong = pathOf(108);

        try (Descriptor listener = UnixSockets.listen(longest, 1);
                Descriptor client = UnixSockets.connect(longest)) {
            assertTrue(listener.isOpen() && client.isOpen());
        }
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> UnixSockets.listen(tooLong, 1));
        assertTrue(refused.getMessage().contains("bytes=108"), refused.getMessage());
        assertThrows(IllegalArgumentException.class, () -> UnixSockets.connect(tooLong));
    }

    // The kernel would take it for a socket without a file.
    @Test
    void anEmptyPathIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> UnixSockets.listen(Path.of(""), 1));
    }

    @Test
    void connectingWhereNobodyListensFails() {
        UnixSockets.listen(path, 1).close();

        assertEquals(
                "ECONNREFUSED",
                assertThrows(OsException.class, () -> UnixSockets.connect(path)).errnoName());
        assertEquals(
                "ENOENT",
                assertThrows(
                                OsException.class,
                                () -> UnixSockets.connect(directory.resolve("none")))
                        .errnoName());
    }

    private void assertTaken(String reason) {
        OsException refused = assertThrows(OsException.class, () -> UnixSockets.listen(path, 1));
        assertEquals("EADDRINUSE", refused.errnoName());
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
        assertTrue(refused.getMessage().contains(path.toString()), refused.getMessage());
    }

    private Path pathOf(int bytes) {
        int parent = directory.toString().getBytes(StandardCharsets.UTF_8).length;
        return directory.resolve("x".repeat(bytes - parent - 1));
    }
}
