package io.aerostat.vmm.os;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** The structures as the kernel has them on x86-64 and aarch64, in literal numbers. */
final class LayoutTest {
    @Test
    void aMessageHeaderIsTheKernels() {
        assertEquals(0, MessageHeaderLayout.NAME_OFFSET);
        assertEquals(8, MessageHeaderLayout.NAME_LENGTH_OFFSET);
        assertEquals(16, MessageHeaderLayout.VECTORS_OFFSET);
        assertEquals(24, MessageHeaderLayout.VECTOR_COUNT_OFFSET);
        assertEquals(32, MessageHeaderLayout.CONTROL_OFFSET);
        assertEquals(40, MessageHeaderLayout.CONTROL_LENGTH_OFFSET);
        assertEquals(48, MessageHeaderLayout.FLAGS_OFFSET);
        assertEquals(56, MessageHeaderLayout.LENGTH);
    }

    @Test
    void aControlMessageIsTheKernels() {
        assertEquals(0, ControlMessageLayout.LENGTH_OFFSET);
        assertEquals(8, ControlMessageLayout.LEVEL_OFFSET);
        assertEquals(12, ControlMessageLayout.TYPE_OFFSET);
        assertEquals(16, ControlMessageLayout.DATA_OFFSET);
        assertEquals(20, ControlMessageLayout.length(1));
        assertEquals(24, ControlMessageLayout.space(1));
        assertEquals(48, ControlMessageLayout.length(8));
        assertEquals(48, ControlMessageLayout.space(8));
        assertEquals(0, ControlMessageLayout.count(16));
        assertEquals(3, ControlMessageLayout.count(28));
        assertEquals(24, ControlMessageLayout.offsetOf(2));
    }

    // With padding in it for one descriptor more, the kernel would hand over a 17th.
    @Test
    void theRoomForReceivedDescriptorsHasNoPadding() {
        assertEquals(
                ControlMessageLayout.length(UnixSockets.MAX_DESCRIPTORS),
                ControlMessageLayout.space(UnixSockets.MAX_DESCRIPTORS));
    }

    @Test
    void aSocketAddressIsTheKernels() {
        assertEquals(0, SocketAddressLayout.FAMILY_OFFSET);
        assertEquals(2, SocketAddressLayout.PATH_OFFSET);
        assertEquals(110, SocketAddressLayout.LENGTH);
        assertEquals(107, SocketAddressLayout.MAX_PATH_BYTES);
    }

    @Test
    void aPollEntryIsTheKernels() {
        assertEquals(0, PollEntryLayout.FD_OFFSET);
        assertEquals(4, PollEntryLayout.EVENTS_OFFSET);
        assertEquals(6, PollEntryLayout.RETURNED_EVENTS_OFFSET);
        assertEquals(8, PollEntryLayout.LENGTH);
    }
}
