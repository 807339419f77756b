package io.aerostat.vmm.frontend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;
import io.aerostat.vmm.os.UnixSockets;
import io.aerostat.vmm.vhost.message.Request;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The bytes that the front-end sends, against a back-end of literal bytes. */
final class FrontEndTest {
    private Descriptor peer;
    private FrontEnd frontEnd;
    private String answer = "";
    private int descriptors;

    @BeforeEach
    void connect() {
        Descriptor[] pair = UnixSockets.pair();
        peer = pair[1];
        frontEnd = FrontEnd.over(pair[0], this::answer);
    }

    @AfterEach
    void disconnect() {
        frontEnd.close();
        peer.close();
    }

    /** What the back-end does while the front-end waits. */
    private void answer() {
        if (!answer.isEmpty()) {
            UnixSockets.send(peer, ByteBuffer.wrap(HexFormat.of().parseHex(answer)));
            answer = "";
        }
    }

    private String received() {
        ByteBuffer into = ByteBuffer.allocate(1024);
        descriptors = 0;
        UnixSockets.receive(
                peer,
                into,
                descriptor -> {
                    descriptors++;
                    descriptor.close();
                });
        return HexFormat.of().formatHex(into.array(), 0, into.position());
    }

    @Test
    void sendsAnyNumbers() {
        frontEnd.send(0x12345678, -1, new byte[] {1, 2, 3});

        assertEquals("78563412" + "ffffffff" + "03000000" + "010203", received());
    }

    @Test
    void sendsDescriptorsWithTheFirstByte() {
        try (Descriptor one = EventDescriptors.create()) {
            frontEnd.sendRaw(new byte[] {5}, one, one, one);
        }

        assertEquals("05", received());
        assertEquals(3, descriptors);
    }

    @Test
    void tellsWithoutAWishForAnAnswer() {
        frontEnd.tell(Request.SET_OWNER, Payload.none());

        assertEquals("030000000100000000000000", received());
    }

    @Test
    void waitsForAnAcknowledgementItAskedFor() {
        frontEnd.acknowledged(EnumSet.of(Request.SET_FEATURES));
        answer = "0200000005000000080000000000000000000000";

        frontEnd.tell(Request.SET_FEATURES, Payload.number(0x140000000L));

        assertEquals("020000000900000008000000" + "0000004001000000", received());
    }

    @Test
    void aRefusalOrAReplyToSomethingElseIsAFailure() {
        frontEnd.acknowledged(EnumSet.of(Request.SET_FEATURES));
        answer = "0200000005000000080000000100000000000000";
        assertThrows(
                AssertionError.class, () -> frontEnd.tell(Request.SET_FEATURES, Payload.number(0)));

        answer = "030000000500000008000000" + "0000000000000000";
        assertThrows(AssertionError.class, () -> frontEnd.askNumber(Request.GET_FEATURES));

        answer = "010000000d00000008000000" + "0000000000000000";
        assertThrows(AssertionError.class, () -> frontEnd.askNumber(Request.GET_FEATURES));
    }

    @Test
    void asksForANumber() {
        answer = "010000000500000008000000" + "2300004001000000";

        assertEquals(0x140000023L, frontEnd.askNumber(Request.GET_FEATURES));

        assertEquals("010000000100000000000000", received());
    }

    @Test
    void payloadsHaveTheLayoutOfTheProtocol() {
        assertEquals("0300000000010000", hex(Payload.state(3, 256)));
        assertEquals(
                "02000000"
                        + "00000000"
                        + "0010000000000000"
                        + "0020000000000000"
                        + "0030000000000000"
                        + "ffffffffffffffff",
                hex(Payload.addresses(2, 0x1000, 0x2000, 0x3000)));
        assertEquals(
                "04000000" + "04000000" + "00000000" + "00010000",
                hex(Payload.config(4, new byte[] {0, 1, 0, 0})));
        try (FrontEndRam ram = FrontEndRam.likeUml(1 << 20)) {
            assertEquals(
                    "0100000000000000"
                            + "0080aa0000000000"
                            + "0000100000000000"
                            + "0080aa0000000000"
                            + "0080aa0000000000"
                            + "00".repeat(32),
                    hex(Payload.table(ram.regions(), 2)));
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void noticesTheEnd() {
        assertFalse(frontEnd.isClosed());
        peer.close();

        assertTrue(frontEnd.isClosed());
        frontEnd.awaitClosed();
        assertThrows(ConnectionLost.class, frontEnd::reply);
        assertThrows(ConnectionLost.class, () -> frontEnd.tell(Request.SET_OWNER, Payload.none()));
    }

    @Test
    void awaitsAnEndThatComesLater() {
        Descriptor[] pair = UnixSockets.pair();
        try (FrontEnd other = FrontEnd.over(pair[0], pair[1]::close)) {
            other.awaitClosed();

            assertTrue(other.isClosed());
        }
    }

    @Test
    void aWordInsteadOfTheEndIsAFailure() {
        answer = "01";

        assertThrows(AssertionError.class, frontEnd::awaitClosed);
    }

    @Test
    void ramIsOneFileUnderItsAddresses() {
        try (FrontEndRam ram = FrontEndRam.likeQemu(2 << 20, 1 << 20)) {
            assertEquals(3 << 20, ram.memory().bytes());
            assertEquals(2, ram.files().length);
            assertEquals(0x7F12_3400_0000L + 0x1FFFFF, ram.userAddress(0x1FFFFF));
            assertEquals(0x7F13_3400_0000L + 8, ram.userAddress((1L << 32) + 8));
            assertThrows(IllegalArgumentException.class, () -> ram.userAddress(2 << 20));
            assertEquals(0, ram.allocatedBytes());
        }
    }

    @Test
    void changesOfTheConfigurationAreCountedAndAnsweredIfWanted() {
        try (BackEndRequests requests = new BackEndRequests();
                Descriptor backEnd = requests.open()) {
            assertEquals(0, requests.takeConfigChanges());
            byte[] change = HexFormat.of().parseHex("020000000100000000000000");
            byte[] urgent = HexFormat.of().parseHex("020000000900000000000000");
            UnixSockets.send(backEnd, ByteBuffer.wrap(change));
            UnixSockets.send(backEnd, ByteBuffer.wrap(urgent));

            assertEquals(2, requests.takeConfigChanges());

            ByteBuffer into = ByteBuffer.allocate(64);
            assertEquals(20, UnixSockets.receive(backEnd, into, Descriptor::close));
            byte[] expected = HexFormat.of().parseHex("0200000005000000080000000000000000000000");
            assertArrayEquals(expected, Arrays.copyOf(into.array(), 20));
            UnixSockets.send(backEnd, ByteBuffer.wrap(new byte[12]));
            assertThrows(AssertionError.class, requests::takeConfigChanges);
        }
    }

    @Test
    void reachesABackEndOnItsOwnThread(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("balloon.sock");
        try (Descriptor listener = UnixSockets.listen(path, 1)) {
            CompletableFuture<Integer> served = new CompletableFuture<>();
            Thread thread =
                    new Thread(() -> served.complete(serveOneLife(listener)), "scripted-back-end");
            thread.start();
            try (FrontEndRam ram = FrontEndRam.likeUml(1 << 20);
                    VhostUserTransport transport =
                            new VhostUserTransport(
                                    new VhostDevice(FrontEnd.connect(path), ram),
                                    UmlDialect.usual())) {
                transport.greet();
                assertEquals(FrontEndRig.FEATURES, transport.deviceFeatures());
            }

            assertEquals(6, served.get(10, TimeUnit.SECONDS));
            thread.join();
        }
    }

    private static int serveOneLife(Descriptor listener) {
        Descriptor socket = UnixSockets.accept(listener);
        while (socket == null) {
            Thread.onSpinWait();
            socket = UnixSockets.accept(listener);
        }
        try (ScriptedBackEnd backEnd = new ScriptedBackEnd(socket, FrontEndRig.FEATURES)) {
            while (!backEnd.isEnded()) {
                backEnd.step();
                Thread.onSpinWait();
            }
            return backEnd.log.size();
        }
    }
}
