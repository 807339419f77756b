package io.aerostat.vmm.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

final class UnixSocketsTest {
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;

    @BeforeAll
    static void needsLinux() {
        assumeTrue(LinuxMemory.isSupported(), "descriptors travel on Linux alone");
    }

    @Test
    void bytesArriveAtTheBuffersPosition() {
        try (SocketPair pair = new SocketPair()) {
            int sent = pair.send("hello");
            pair.bytes.put((byte) '>');

            int received = pair.receive();

            assertEquals(5, sent);
            assertEquals(5, received);
            assertEquals(">hello", pair.text());
        }
    }

    @Test
    void takesNoMoreThanThereIsRoomFor() {
        try (SocketPair pair = new SocketPair()) {
            pair.send("hello");
            pair.bytes.limit(3);

            assertEquals(3, pair.receive());
            assertEquals(3, pair.bytes.position());
            pair.bytes.limit(64);
            assertEquals(2, pair.receive());
            assertEquals("hello", pair.text());
        }
    }

    @Test
    void sendsFromTheBuffersPositionAndAdvancesIt() {
        try (SocketPair pair = new SocketPair()) {
            ByteBuffer from = SocketPair.ascii("hello").position(3);

            assertEquals(2, UnixSockets.send(pair.left, from));
            assertEquals(5, from.position());
            pair.receive();
            assertEquals("lo", pair.text());
        }
    }

    @Test
    void aReceivedDescriptorIsTheSameFile() throws IOException {
        try (SocketPair pair = new SocketPair();
                Descriptor file = OpenFiles.memoryFile("os-same")) {
            pair.send("f", file);

            pair.receive();
            OpenFiles.write(file, 0x1234_5678_9abc_def0L);

            assertEquals(1, pair.received.size());
            assertNotEquals(file.number(), pair.received.get(0).number());
            assertEquals(0x1234_5678_9abc_def0L, OpenFiles.read(pair.received.get(0)));
        }
    }

    @Test
    void severalDescriptorsArriveInOrder() throws IOException {
        Descriptor[] files = files("os-order", UnixSockets.MAX_DESCRIPTORS);
        try (SocketPair pair = new SocketPair()) {
            pair.send("f", files);

            pair.receive();

            assertEquals(UnixSockets.MAX_DESCRIPTORS, pair.received.size());
            for (int i = 0; i < files.length; i++) {
                OpenFiles.write(files[i], 100 + i);
                assertEquals(100 + i, OpenFiles.read(pair.received.get(i)));
            }
        } finally {
            Arrays.stream(files).forEach(Descriptor::close);
        }
    }

    @Test
    void receivedDescriptorsDoNotSurviveExecve() throws IOException {
        try (SocketPair pair = new SocketPair();
                Descriptor file = OpenFiles.memoryFile("os-exec")) {
            pair.send("f", file);

            pair.receive();

            assertEquals(O_CLOEXEC, OpenFiles.flags(pair.received.get(0)) & O_CLOEXEC);
        }
    }

    @Test
    void descriptorsOfOneMessageAreNotHandedOverAgainWithTheNext() {
        try (SocketPair pair = new SocketPair();
                Descriptor file = OpenFiles.memoryFile("os-once")) {
            pair.send("f", file, file);
            pair.receive();

            pair.send("none");
            pair.receive();

            assertEquals("fnone", pair.text());
            assertEquals(2, pair.received.size());
        }
    }

    // 253 is all that the kernel lets a message carry.
    @ParameterizedTest
    @ValueSource(ints = {UnixSockets.MAX_DESCRIPTORS + 1, 253})
    void surplusDescriptorsFailTheCallAndDoNotLeak(int count) throws IOException {
        Descriptor[] files = files("os-surplus", count);
        try (SocketPair pair = new SocketPair()) {
            pair.send("f", files);

            OsException refused = assertThrows(OsException.class, pair::receive);

            assertEquals("EMSGSIZE", refused.errnoName());
            assertEquals("f", pair.text());
            assertEquals(UnixSockets.MAX_DESCRIPTORS, pair.received.size());
            assertEquals(count + UnixSockets.MAX_DESCRIPTORS, OpenFiles.count("os-surplus"));
        } finally {
            Arrays.stream(files).forEach(Descriptor::close);
        }
        assertEquals(0, OpenFiles.count("os-surplus"));
    }

    @Test
    void aThousandConnectionsLeaveNoDescriptorBehind() throws IOException {
        try (Descriptor file = OpenFiles.memoryFile("os-thousand")) {
            long socketsBefore = OpenFiles.count("socket:");

            for (int i = 0; i < 1000; i++) {
                try (SocketPair pair = new SocketPair()) {
                    pair.send("f", file, file);
                    pair.receive();
                    pair.send("in flight when both ends close", file);
                }
            }

            assertEquals(1, OpenFiles.count("os-thousand"));
            assertEquals(socketsBefore, OpenFiles.count("socket:"));
        }
    }

    @Test
    void descriptorsAreClosedIfTheTakerThrows() throws IOException {
        IllegalStateException thrown = new IllegalStateException("no more");
        try (SocketPair pair = new SocketPair();
                Descriptor file = OpenFiles.memoryFile("os-throw")) {
            pair.send("f", file, file, file);

            assertSame(
                    thrown,
                    assertThrows(
                            IllegalStateException.class,
                            () ->
                                    UnixSockets.receive(
                                            pair.right,
                                            pair.bytes,
                                            descriptor -> {
                                                if (!pair.received.isEmpty()) {
                                                    throw thrown;
                                                }
                                                pair.received.add(descriptor);
                                            })));

            assertEquals(2, OpenFiles.count("os-throw"));
            assertTrue(pair.received.get(0).isOpen());
        }
    }

    @Test
    void theEndComesAfterAllThatWasSent() {
        try (SocketPair pair = new SocketPair()) {
            pair.send("bye");
            pair.left.close();

            assertEquals(3, pair.receive());
            assertEquals(UnixSockets.END, pair.receive());
            assertEquals(UnixSockets.END, pair.receive());
        }
    }

    // Closing a socket with unread bytes resets the connection.
    @Test
    void aResetCountsAsTheEnd() {
        try (SocketPair pair = new SocketPair()) {
            UnixSockets.send(pair.right, SocketPair.ascii("never read"));
            pair.left.close();

            assertEquals(UnixSockets.END, pair.receive());
        }
    }

    @Test
    void receivingDoesNotWait() {
        try (SocketPair pair = new SocketPair()) {
            assertEquals(UnixSockets.WOULD_BLOCK, pair.receive());
            assertEquals(0, pair.bytes.position());
        }
    }

    @Test
    void sendingDoesNotWait() {
        try (SocketPair pair = new SocketPair()) {
            ByteBuffer block = ByteBuffer.allocateDirect(4096);
            int result;
            long sent = 0;
            do {
                result = UnixSockets.send(pair.left, block.clear());
                sent += Math.max(0, result);
            } while (result > 0 && sent < 64 << 20);

            assertEquals(UnixSockets.WOULD_BLOCK, result);
            assertEquals(0, block.position());
        }
    }

    @Test
    void sendingToAPeerThatIsGoneFails() {
        try (SocketPair pair = new SocketPair()) {
            pair.right.close();

            OsException failure = assertThrows(OsException.class, () -> pair.send("hello"));

            assertEquals("EPIPE", failure.errnoName());
        }
    }

    @Test
    void refusesBuffersWithoutBytes() {
        try (SocketPair pair = new SocketPair()) {
            pair.send("hello");
            ByteBuffer empty = ByteBuffer.allocateDirect(0);

            assertThrows(
                    IllegalArgumentException.class,
                    () -> UnixSockets.receive(pair.right, empty, pair.received::add));
            assertThrows(IllegalArgumentException.class, () -> UnixSockets.send(pair.left, empty));
        }
    }

    @Test
    void refusesMoreDescriptorsThanAMessageCarries() {
        try (SocketPair pair = new SocketPair()) {
            Descriptor[] tooMany = new Descriptor[254];
            Arrays.fill(tooMany, pair.left);

            assertThrows(IllegalArgumentException.class, () -> pair.send("f", tooMany));
            assertEquals(UnixSockets.WOULD_BLOCK, pair.receive());
        }
    }

    @Test
    void aClosedSocketIsRefused() {
        SocketPair pair = new SocketPair();
        pair.close();

        assertThrows(IllegalStateException.class, pair::receive);
        assertThrows(IllegalStateException.class, () -> pair.send("hello"));
    }

    @Test
    void aDescriptorThatIsNoSocketFails() {
        try (SocketPair pair = new SocketPair();
                Descriptor event = EventDescriptors.create()) {
            OsException failure =
                    assertThrows(
                            OsException.class,
                            () -> UnixSockets.receive(event, pair.bytes, pair.received::add));

            assertEquals("ENOTSOCK", failure.errnoName());
        }
    }

    @Test
    void bothEndsAreNonBlockingAndDoNotSurviveExecve() throws IOException {
        try (SocketPair pair = new SocketPair()) {
            int wanted = O_NONBLOCK | O_CLOEXEC;

            assertEquals(wanted, OpenFiles.flags(pair.left) & wanted);
            assertEquals(wanted, OpenFiles.flags(pair.right) & wanted);
        }
    }

    private static Descriptor[] files(String name, int count) {
        Descriptor[] files = new Descriptor[count];
        for (int i = 0; i < count; i++) {
            files[i] = OpenFiles.memoryFile(name);
        }
        return files;
    }
}
