package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A device's side that goes on where another one stopped (vhost-user SET_VRING_BASE). */
final class ResumedQueueTest {
    private static final int SIZE = 4;

    private final RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), SIZE);

    /** Buffers 0 to 3 with these indices in both rings: all before {@code returned} are back. */
    private void leftAt(int returned, int available) {
        for (int head = 0; head < SIZE; head++) {
            ring.descriptor(head, Rings.DATA + 64L * head, 16, 0, 0);
            ring.availableEntry(head, head);
        }
        ring.usedIdx(returned);
        ring.availableIdx(available);
    }

    private DeviceQueue resumed(int index) {
        return DeviceQueue.resumed(
                ring.ram().memory(), ring.addresses(), Rings.NONE_NEGOTIATED, index);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 0xFFFE})
    void goesOnWithTheNextBuffer(int index) {
        leftAt(index, RingIndex.plus(index, 1));
        DeviceQueue queue = resumed(index);

        assertEquals(DeviceQueue.CHAIN, queue.poll());
        assertEquals(index % SIZE, queue.chain().head());
        queue.complete(queue.chain().head(), 5);
        queue.publish();

        assertEquals(RingIndex.plus(index, 1), ring.usedIdx());
        assertEquals(index % SIZE, ring.usedId(index % SIZE));
        assertEquals(5, ring.usedLength(index % SIZE));
        assertEquals(RingIndex.plus(index, 1), queue.returnedIndex());
        assertEquals(DeviceQueue.NONE, queue.poll());
    }

    @Test
    void takesAgainWhatWasTakenAndNeverReturned() {
        leftAt(6, 8);
        DeviceQueue queue = resumed(8);

        assertEquals(DeviceQueue.CHAIN, queue.poll());
        assertEquals(2, queue.chain().head());
        assertEquals(DeviceQueue.CHAIN, queue.poll());
        assertEquals(3, queue.chain().head());
        assertEquals(DeviceQueue.NONE, queue.poll());
        assertEquals(6, queue.returnedIndex());
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 11, 0xFFFF})
    void refusesAnIndexThatItsUsedRingContradicts(int index) {
        leftAt(6, 7);
        DeviceQueue queue = resumed(index);

        assertEquals(DeviceQueue.FAULT, queue.poll());
        assertEquals(QueueFault.RESUMED_ELSEWHERE, queue.fault());
        assertEquals(6, ring.usedIdx());
    }

    @Test
    void allBuffersOfAQueueMayHaveBeenOut() {
        leftAt(6, 10);

        assertNull(resumed(10).fault());
    }
}
