package io.aerostat.vmm.vhost.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.os.EventDescriptors;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The one request of ours, and whatever a front-end does with its socket. */
final class BackEndChannelTest {
    private static final String CONFIG_CHANGE = "020000000100000000000000";
    private static final String ANSWER = "02000000 05000000 08000000 0000000000000000";

    private long buffers;
    private Wire wire;
    private BackEndChannel channel;

    @BeforeEach
    void connect() {
        buffers = Wire.bufferBytes();
        wire = new Wire();
        channel = new BackEndChannel(wire.backEnd);
    }

    @AfterEach
    void disconnect() {
        channel.close();
        channel.close();
        wire.close();
        assertEquals(buffers, Wire.bufferBytes());
        assertEquals(0, Wire.openFiles());
    }

    @Test
    void tellsOfAChangeWithoutAskingForAnAnswer() {
        assertTrue(channel.configChanged());
        assertEquals(CONFIG_CHANGE, wire.received());

        assertTrue(channel.configChanged());
        assertTrue(channel.configChanged());
        assertEquals(CONFIG_CHANGE.repeat(2), wire.received());
    }

    @Test
    void aFullChannelIsNoFaultAndNotForEver() {
        int told = 0;
        while (channel.configChanged()) {
            told++;
        }
        assertTrue(told > 0);
        assertFalse(channel.isGone());

        while (!wire.received().isEmpty()) {
            told--;
        }

        assertTrue(channel.configChanged());
        assertEquals(CONFIG_CHANGE, wire.received());
    }

    @Test
    void noMessageIsCutShortWhenTheChannelIsFull() {
        while (channel.configChanged()) {
            assertFalse(channel.isGone());
        }
        StringBuilder all = new StringBuilder();
        for (String part = wire.received(); !part.isEmpty(); part = wire.received()) {
            all.append(part);
        }

        assertEquals("", all.toString().replace(CONFIG_CHANGE, ""));
    }

    @Test
    void answersAreReadAndDropped() {
        for (int i = 0; i < 10_000; i++) {
            assertTrue(channel.configChanged());
            assertEquals(CONFIG_CHANGE, wire.received());
            // Would not go in if the last ones were still there.
            wire.send(ANSWER);
        }
        assertFalse(channel.isGone());
    }

    @Test
    void drainsWithoutAChange() {
        for (int i = 0; i < 10_000; i++) {
            wire.send(ANSWER);
            channel.drain();
        }
        assertFalse(channel.isGone());
        assertEquals("", wire.received());
    }

    @Test
    void descriptorsThatComeWithAnswersAreClosed() {
        wire.send(ANSWER, wire.files(5));
        wire.closeFiles();

        channel.drain();

        assertEquals(0, Wire.openFiles());
        assertFalse(channel.isGone());
    }

    @Test
    void moreDescriptorsThanCanBeTakenEndTheChannel() {
        wire.send(ANSWER, wire.files(20));
        wire.closeFiles();

        channel.drain();

        assertEquals(0, Wire.openFiles());
        assertTrue(channel.isGone());
        assertFalse(channel.configChanged());
    }

    @Test
    void aClosedChannelIsGone() {
        wire.frontEnd.close();

        assertFalse(channel.configChanged());
        assertTrue(channel.isGone());
        assertFalse(channel.configChanged());
        channel.drain();
    }

    @Test
    void somethingThatIsNoSocketIsGone() {
        for (Descriptor other : new Descriptor[] {Wire.newFile(), EventDescriptors.create()}) {
            try (BackEndChannel useless = new BackEndChannel(other)) {
                assertFalse(useless.configChanged());
                assertTrue(useless.isGone());
            }
        }
    }

    @Test
    void ownsTheSocket() {
        channel.close();

        assertFalse(wire.backEnd.isOpen());
        assertTrue(channel.isGone());
        assertFalse(channel.configChanged());
    }
}
