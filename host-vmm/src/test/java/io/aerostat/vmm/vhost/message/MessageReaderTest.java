package io.aerostat.vmm.vhost.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.memory.os.OsException;
import io.aerostat.vmm.os.Descriptor;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.Arrays;

/** How messages come in: in parts, several at once, and not at all. */
final class MessageReaderTest {
    private static final String OWNER = "03000000 01000000 00000000";
    private static final String KICK = "0c000000 09000000 08000000 0100000000000000";

    private static final String TABLE_OF_TWO =
            "05000000 09000000 48000000 02000000 00000000"
                    + "0000000000000000 0010000000000000 0000000000000000 0000000000000000"
                    + "0010000000000000 0010000000000000 0010000000000000 0010000000000000";

    private long buffers;
    private Wire wire;
    private MessageReader reader;

    @BeforeEach
    void connect() {
        buffers = Wire.bufferBytes();
        wire = new Wire();
        reader = new MessageReader(wire.backEnd);
    }

    @AfterEach
    void disconnect() {
        reader.close();
        wire.close();
        assertEquals(0, Wire.openFiles());
        assertEquals(buffers, Wire.bufferBytes());
    }

    @Test
    void nothingIsThereAtFirst() throws ProtocolViolation {
        assertEquals(Progress.NOTHING, reader.poll());
        assertThrows(IllegalStateException.class, reader::message);
        assertThrows(IllegalStateException.class, reader::request);
        assertThrows(IllegalStateException.class, reader::wantsAcknowledgement);
    }

    @Test
    void aMessageIsThereWithItsLastByte() throws ProtocolViolation {
        byte[] bytes = Wire.bytes(TABLE_OF_TWO);
        wire.send(Arrays.copyOf(bytes, 1), wire.files(2));
        for (int i = 1; i < bytes.length; i++) {
            assertEquals(Progress.NOTHING, reader.poll(), "bytes=" + i);
            wire.send(new byte[] {bytes[i]});
        }

        assertEquals(Progress.MESSAGE, reader.poll());

        var message = assertInstanceOf(FrontEndMessage.SetMemTable.class, reader.message());
        assertEquals(2, message.regions().size());
        assertTrue(reader.wantsAcknowledgement());
        message.closeDescriptors();
    }

    @Test
    void descriptorsMayComeWithAnyByteOfTheMessage() throws ProtocolViolation {
        int length = Wire.bytes(TABLE_OF_TWO).length;
        for (int at = 0; at < length; at++) {
            byte[] bytes = Wire.bytes(TABLE_OF_TWO);
            if (at > 0) {
                wire.send(Arrays.copyOf(bytes, at));
            }
            wire.send(Arrays.copyOfRange(bytes, at, length), wire.files(2));
            wire.closeFiles();

            assertEquals(Progress.MESSAGE, reader.poll(), "descriptors with byte " + at);
            assertEquals(2, Wire.openFiles());
            reader.message().closeDescriptors();
        }
    }

    @Test
    void descriptorsMayComeOneByOne() throws ProtocolViolation {
        byte[] bytes = Wire.bytes(TABLE_OF_TWO);
        Descriptor first = wire.file();
        wire.send(Arrays.copyOf(bytes, 5), first);
        wire.send(Arrays.copyOfRange(bytes, 5, bytes.length), wire.file());

        assertEquals(Progress.MESSAGE, reader.poll());

        var message = (FrontEndMessage.SetMemTable) reader.message();
        assertEquals(2, message.regions().size());
        message.closeDescriptors();
    }

    @Test
    void aPollBringsOneMessage() throws ProtocolViolation {
        wire.send(OWNER + OWNER + "01000000 01000000 00000000");

        assertEquals(Progress.MESSAGE, reader.poll());
        assertEquals(Request.SET_OWNER, reader.request());
        assertEquals(Progress.MESSAGE, reader.poll());
        assertEquals(Request.SET_OWNER, reader.request());
        assertEquals(Progress.MESSAGE, reader.poll());
        assertEquals(Request.GET_FEATURES, reader.request());
        assertEquals(Progress.NOTHING, reader.poll());
        assertThrows(IllegalStateException.class, reader::request);
    }

    @Test
    void descriptorsStayWithTheirMessage() throws ProtocolViolation {
        wire.send(OWNER);
        wire.send(KICK, wire.file());
        wire.send(OWNER);

        assertEquals(Progress.MESSAGE, reader.poll());
        assertEquals(Request.SET_OWNER, reader.request());
        assertEquals(Progress.MESSAGE, reader.poll());
        var kick = (FrontEndMessage.SetVringKick) reader.message();
        assertEquals(Progress.MESSAGE, reader.poll());
        assertEquals(Request.SET_OWNER, reader.request());

        assertTrue(kick.descriptor().isOpen());
        kick.closeDescriptors();
    }

    @Test
    void aMessageStaysUntilTheNextPoll() throws ProtocolViolation {
        wire.send(KICK, wire.file());
        reader.poll();

        FrontEndMessage message = reader.message();

        assertSame(message, reader.message());
        message.closeDescriptors();
    }

    @Test
    void whatWasTakenOutlivesTheReader() throws ProtocolViolation {
        wire.send(KICK, wire.file());
        reader.poll();
        var kick = (FrontEndMessage.SetVringKick) reader.message();

        reader.poll();
        reader.close();

        assertTrue(kick.descriptor().isOpen());
        kick.closeDescriptors();
    }

    @Test
    void whatNobodyTookIsClosedByTheNextPoll() throws ProtocolViolation {
        wire.send(KICK, wire.file());
        wire.closeFiles();
        reader.poll();
        assertEquals(1, Wire.openFiles());

        reader.poll();

        assertEquals(0, Wire.openFiles());
    }

    @Test
    void whatNobodyTookIsClosedWithTheReader() throws ProtocolViolation {
        wire.send(KICK, wire.file());
        wire.closeFiles();
        reader.poll();

        reader.close();
        reader.close();

        assertEquals(0, Wire.openFiles());
        assertEquals(Progress.END, reader.poll());
    }

    @Test
    void descriptorsOfHalfAMessageAreClosedWithTheReader() throws ProtocolViolation {
        wire.send("05000000", wire.files(3));
        wire.closeFiles();
        reader.poll();
        assertEquals(3, Wire.openFiles());

        reader.close();

        assertEquals(0, Wire.openFiles());
    }

    @Test
    void theEndBetweenMessagesIsNoFault() throws ProtocolViolation {
        wire.send(OWNER);
        wire.frontEnd.close();

        assertEquals(Progress.MESSAGE, reader.poll());
        assertEquals(Progress.END, reader.poll());
        assertEquals(Progress.END, reader.poll());
    }

    @Test
    void theEndInsideAHeaderIsAViolation() {
        wire.send("0300");
        wire.frontEnd.close();

        var violation = assertThrows(ProtocolViolation.class, reader::poll);

        assertEquals(
                "connection ended inside a message: request=unknown yet, bytes=2, expected=12",
                violation.getMessage());
    }

    @Test
    void theEndInsideAPayloadIsAViolation() throws ProtocolViolation {
        wire.send(KICK.substring(0, 29), wire.file());
        wire.closeFiles();
        assertEquals(Progress.NOTHING, reader.poll());
        wire.frontEnd.close();

        var violation = assertThrows(ProtocolViolation.class, reader::poll);

        assertEquals(
                "connection ended inside a message: request=SET_VRING_KICK, bytes=13, expected=20",
                violation.getMessage());
        assertEquals(0, Wire.openFiles());
    }

    @Test
    void afterAViolationThereIsOnlyTheEnd() throws ProtocolViolation {
        wire.send("01000000 00000000 00000000" + OWNER);
        assertThrows(ProtocolViolation.class, reader::poll);

        assertEquals(Progress.END, reader.poll());
    }

    @Test
    void aSocketThatIsNoneIsTheOwnersFault() {
        try (Descriptor file = Wire.newFile();
                MessageReader other = new MessageReader(file)) {
            assertThrows(OsException.class, other::poll);
        }
    }

    @Test
    void theSocketStaysOpen() {
        reader.close();

        assertTrue(wire.backEnd.isOpen());
        assertFalse(wire.received().length() > 0);
    }
}
