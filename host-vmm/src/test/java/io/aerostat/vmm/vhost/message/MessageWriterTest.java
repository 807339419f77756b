package io.aerostat.vmm.vhost.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every reply as literal bytes. */
final class MessageWriterTest {
    private long buffers;
    private Wire wire;
    private MessageWriter writer;

    @BeforeEach
    void connect() {
        buffers = Wire.bufferBytes();
        wire = new Wire();
        writer = new MessageWriter(wire.backEnd);
    }

    @AfterEach
    void disconnect() {
        writer.close();
        writer.close();
        wire.close();
        assertEquals(buffers, Wire.bufferBytes());
    }

    private void assertReceived(String hex) {
        assertEquals(hex.replace(" ", ""), wire.received());
    }

    @Test
    void numberHasEightBytes() throws ProtocolViolation {
        writer.reply(Request.GET_FEATURES, 0x1_4000_003FL);

        assertReceived("01000000 05000000 08000000 3f00004001000000");
    }

    @Test
    void acknowledgementDoesNotRepeatTheWishForOne() throws ProtocolViolation {
        writer.reply(Request.SET_MEM_TABLE, 0);
        assertReceived("05000000 05000000 08000000 0000000000000000");

        writer.reply(Request.SET_VRING_KICK, -1);
        assertReceived("0c000000 05000000 08000000 ffffffffffffffff");
    }

    @Test
    void queueNumberAndProtocolFeaturesAreNumbers() throws ProtocolViolation {
        writer.reply(Request.GET_QUEUE_NUM, 5);
        assertReceived("11000000 05000000 08000000 0500000000000000");

        writer.reply(Request.GET_PROTOCOL_FEATURES, 0x228);
        assertReceived("0f000000 05000000 08000000 2802000000000000");
    }

    @Test
    void configurationHasTheLayoutOfItsRequest() throws ProtocolViolation {
        writer.replyConfig(
                new FrontEndMessage.GetConfig(4, 4, 1), new byte[] {1, 2, 3, (byte) 0xFF});

        assertReceived("18000000 05000000 10000000 04000000 04000000 01000000 010203ff");
    }

    @Test
    void theLargestConfigurationIsOneWrite() throws ProtocolViolation {
        writer.replyConfig(new FrontEndMessage.GetConfig(0, 256, 0), new byte[256]);

        assertReceived("18000000 05000000 0c010000 00000000 00010000 00000000" + "00".repeat(256));
    }

    @Test
    void ringBaseIsAnIndexAndAValue() throws ProtocolViolation {
        writer.replyVringBase(3, 0xFFFF);

        assertReceived("0b000000 05000000 08000000 03000000 ffff0000");
    }

    @Test
    void aReplyOfAnotherKindIsTheCallersFault() {
        var requests = new Request[] {Request.GET_CONFIG, Request.GET_VRING_BASE};

        for (Request request : requests) {
            var error =
                    assertThrows(IllegalArgumentException.class, () -> writer.reply(request, 0));
            assertEquals("the reply is no number: request=" + request, error.getMessage());
        }
        assertReceived("");
    }

    @Test
    void configurationOfAnotherSizeIsTheCallersFault() {
        var request = new FrontEndMessage.GetConfig(0, 4, 0);

        var error =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> writer.replyConfig(request, new byte[5]));

        assertEquals("a reply has the size of its request: bytes=5, size=4", error.getMessage());
        assertReceived("");
    }

    @Test
    void aFrontEndThatDoesNotReadItsRepliesViolatesTheProtocol() {
        var violation =
                assertThrows(
                        ProtocolViolation.class,
                        () -> {
                            for (int i = 0; i < 100_000; i++) {
                                writer.reply(Request.GET_FEATURES, i);
                            }
                        });

        assertEquals(
                "front-end does not read its replies: request=GET_FEATURES, bytes=20, sent=0",
                violation.getMessage());
    }

    @Test
    void aFrontEndThatIsGoneViolatesTheProtocol() {
        wire.frontEnd.close();

        var violation = assertThrows(ProtocolViolation.class, () -> writer.replyVringBase(0, 0));

        assertEquals(
                "connection ended before a reply: request=GET_VRING_BASE", violation.getMessage());
        assertTrue(violation.getCause().getMessage().contains("EPIPE"));
    }
}
