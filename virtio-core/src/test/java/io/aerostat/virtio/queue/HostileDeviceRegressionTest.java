package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.Test;

/** Hostile devices that once got through. */
final class HostileDeviceRegressionTest {
    private final RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 4);

    /** A guessed id: the buffer was added, but no device can know of it yet. */
    @Test
    void refusesABufferThatWasNotPublished() {
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        driver.add(Rings.DATA, 8, false);
        driver.publish();
        int staged = driver.add(Rings.DATA, 8, false);
        ring.giveBack(staged, 0);

        int head = driver.poll();

        assertEquals(DriverQueue.FAULT, head);
        assertEquals(QueueFault.USED_ID_NOT_IN_FLIGHT, driver.fault());
    }

    /** A device that takes its index back would let the driver sleep on a broken queue. */
    @Test
    void armingAFaultedQueueSaysToPollAgain() {
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        driver.add(Rings.DATA, 8, false);
        driver.publish();
        ring.usedIdx(9);
        driver.poll();
        ring.usedIdx(0);

        boolean again = driver.armAndRecheck();

        assertTrue(again);
    }
}
