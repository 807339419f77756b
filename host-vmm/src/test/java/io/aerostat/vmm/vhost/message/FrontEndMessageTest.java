package io.aerostat.vmm.vhost.message;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

/** Every message from its literal bytes. */
final class FrontEndMessageTest {
    private Wire wire;
    private MessageReader reader;

    @BeforeEach
    void connect() {
        wire = new Wire();
        reader = new MessageReader(wire.backEnd);
    }

    @AfterEach
    void disconnect() {
        reader.close();
        wire.close();
        assertEquals(0, Wire.openFiles());
    }

    private FrontEndMessage read() throws ProtocolViolation {
        assertEquals(Progress.MESSAGE, reader.poll());
        return reader.message();
    }

    static Stream<Arguments> messagesWithoutDescriptors() {
        return Stream.of(
                Arguments.of("01000000 01000000 00000000", new FrontEndMessage.GetFeatures()),
                Arguments.of(
                        "02000000 01000000 08000000 2300004001000000",
                        new FrontEndMessage.SetFeatures(0x1_4000_0023L)),
                Arguments.of("03000000 01000000 00000000", new FrontEndMessage.SetOwner()),
                Arguments.of("04000000 01000000 00000000", new FrontEndMessage.ResetOwner()),
                Arguments.of(
                        "08000000 01000000 08000000 03000000 00010000",
                        new FrontEndMessage.SetVringNum(3, 256)),
                Arguments.of(
                        "08000000 01000000 08000000 04000000 00800000",
                        new FrontEndMessage.SetVringNum(4, 32768)),
                Arguments.of(
                        "08000000 01000000 08000000 00000000 07000000",
                        new FrontEndMessage.SetVringNum(0, 7)),
                Arguments.of(
                        "09000000 01000000 28000000 02000000 01000000"
                                + " 0010000000000080 0030000000000000"
                                + " 0020000000000000 ffffffffffffffff",
                        new FrontEndMessage.SetVringAddr(
                                2, 1, 0x8000_0000_0000_1000L, 0x3000, 0x2000, -1)),
                Arguments.of(
                        "0a000000 01000000 08000000 01000000 ffff0000",
                        new FrontEndMessage.SetVringBase(1, 0xFFFF)),
                Arguments.of(
                        "0b000000 01000000 08000000 ff000000 00000000",
                        new FrontEndMessage.GetVringBase(255)),
                // What comes where the reply has its value means nothing.
                Arguments.of(
                        "0b000000 01000000 08000000 02000000 12345678",
                        new FrontEndMessage.GetVringBase(2)),
                Arguments.of(
                        "0f000000 01000000 00000000", new FrontEndMessage.GetProtocolFeatures()),
                Arguments.of(
                        "10000000 01000000 08000000 2902000000000000",
                        new FrontEndMessage.SetProtocolFeatures(0x229)),
                Arguments.of("11000000 01000000 00000000", new FrontEndMessage.GetQueueNum()),
                Arguments.of(
                        "12000000 01000000 08000000 04000000 01000000",
                        new FrontEndMessage.SetVringEnable(4, true)),
                Arguments.of(
                        "12000000 01000000 08000000 04000000 00000000",
                        new FrontEndMessage.SetVringEnable(4, false)),
                Arguments.of(
                        "18000000 01000000 10000000 00000000 04000000 00000000 00000000",
                        new FrontEndMessage.GetConfig(0, 4, 0)),
                Arguments.of(
                        "18000000 01000000 0e000000 fe000000 02000000 01000000 aaaa",
                        new FrontEndMessage.GetConfig(254, 2, 1)),
                Arguments.of(
                        "18000000 01000000 0c000000 00000000 00000000 00000000",
                        new FrontEndMessage.GetConfig(0, 0, 0)),
                Arguments.of(
                        "0c000000 01000000 08000000 0301000000000000",
                        new FrontEndMessage.SetVringKick(3, null)),
                Arguments.of(
                        "0d000000 01000000 08000000 0001000000000000",
                        new FrontEndMessage.SetVringCall(0, null)),
                Arguments.of(
                        "0e000000 01000000 08000000 ff01000000000000",
                        new FrontEndMessage.SetVringErr(255, null)));
    }

    @ParameterizedTest
    @MethodSource("messagesWithoutDescriptors")
    void isReadFromItsBytes(String hex, FrontEndMessage expected) throws ProtocolViolation {
        wire.send(hex);

        assertEquals(expected, read());
        assertEquals(Byte.parseByte(hex.substring(0, 2), 16), reader.request().number());
        assertFalse(reader.wantsAcknowledgement());
    }

    @Test
    void configurationIsWrittenByItsBytes() throws ProtocolViolation {
        wire.send("19000000 09000000 10000000 04000000 04000000 00000000 00800000");

        var message = (FrontEndMessage.SetConfig) read();

        assertEquals(4, message.offset());
        assertEquals(0, message.flags());
        assertArrayEquals(Wire.bytes("00800000"), message.bytes());
        assertTrue(reader.wantsAcknowledgement());
    }

    @Test
    void theWholeConfigurationIsWrittenAtOnce() throws ProtocolViolation {
        String space = "5a".repeat(256);
        wire.send("19000000 01000000 0c010000 00000000 00010000 00000000" + space);

        var message = (FrontEndMessage.SetConfig) read();

        assertEquals(0, message.offset());
        assertArrayEquals(Wire.bytes(space), message.bytes());
    }

    @Test
    void memoryTableOfOneRegionHasRoomForTwo() throws ProtocolViolation {
        String region = "0080aa0000000000 0080550f00000000 0080aa0000000000 0080aa0000000000";
        wire.send(
                "05000000 09000000 48000000 01000000 00000000" + region + "11".repeat(32),
                wire.file());

        var message = (FrontEndMessage.SetMemTable) read();

        assertEquals(1, message.regions().size());
        MemoryRegion found = message.regions().getFirst();
        assertEquals(0xAA8000, found.guestAddress());
        assertEquals(0xF558000, found.size());
        assertEquals(0xAA8000, found.userAddress());
        assertEquals(0xAA8000, found.mmapOffset());
        assertTrue(found.descriptor().isOpen());
        message.closeDescriptors();
    }

    @Test
    void memoryTableHasEightRegionsAndADescriptorForEach() throws ProtocolViolation {
        StringBuilder table = new StringBuilder("05000000 01000000 08010000 08000000 dddddddd");
        for (int i = 0; i < 8; i++) {
            String number = "0" + i + "00000000000000";
            table.append(number).append("0010000000000000").append("f".repeat(16)).append(number);
        }
        wire.send(table.toString(), wire.files(8));
        wire.closeFiles();

        var message = (FrontEndMessage.SetMemTable) read();

        assertEquals(8, message.regions().size());
        for (int i = 0; i < 8; i++) {
            MemoryRegion region = message.regions().get(i);
            assertEquals(i, region.guestAddress());
            assertEquals(0x1000, region.size());
            assertEquals(-1, region.userAddress());
            assertEquals(i, region.mmapOffset());
        }
        assertEquals(8, Wire.openFiles());
        message.closeDescriptors();
        assertEquals(0, Wire.openFiles());
    }

    @Test
    void ringDescriptorsComeWithTheirMessages() throws ProtocolViolation {
        wire.send("0c000000 09000000 08000000 0100000000000000", wire.file());
        var kick = (FrontEndMessage.SetVringKick) read();
        wire.send("0d000000 09000000 08000000 0200000000000000", wire.file());
        var call = (FrontEndMessage.SetVringCall) read();
        wire.send("0e000000 09000000 08000000 0300000000000000", wire.file());
        var err = (FrontEndMessage.SetVringErr) read();
        wire.closeFiles();

        assertEquals(1, kick.index());
        assertEquals(2, call.index());
        assertEquals(3, err.index());
        assertNotNull(kick.descriptor());
        assertNotNull(call.descriptor());
        assertNotNull(err.descriptor());
        assertEquals(3, Wire.openFiles());
        kick.closeDescriptors();
        call.closeDescriptors();
        err.closeDescriptors();
        assertEquals(0, Wire.openFiles());
    }

    @Test
    void backEndChannelComesAsADescriptor() throws ProtocolViolation {
        wire.send("15000000 09000000 00000000", wire.file());

        var message = (FrontEndMessage.SetBackendReqFd) read();

        assertTrue(message.descriptor().isOpen());
        assertTrue(reader.wantsAcknowledgement());
        message.closeDescriptors();
    }

    @Test
    void messagesWithoutDescriptorsHaveNoneToClose() throws ProtocolViolation {
        wire.send("0c000000 01000000 08000000 0301000000000000");

        var message = (FrontEndMessage.SetVringKick) read();
        message.closeDescriptors();

        assertNull(message.descriptor());
        new FrontEndMessage.GetFeatures().closeDescriptors();
    }

    @Test
    void aRequestWithAReplyIsNotAcknowledged() throws ProtocolViolation {
        wire.send("01000000 09000000 00000000");

        read();

        assertFalse(reader.wantsAcknowledgement());
    }
}
