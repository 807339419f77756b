package io.aerostat.virtio.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.GuestRam;
import io.aerostat.virtio.testkit.RingBytes;

import org.junit.jupiter.api.Test;

/** What a caller of the driver's side gets wrong is refused before it does damage. */
final class DriverQueueMisuseTest {
    private final RingBytes ring = Rings.ring(Rings.ram(GuestRam.Kind.BYTE_ARRAY), 8);

    /**
     * A table for each head of 4 entries, on a queue of 8: the others would lie behind the room.
     */
    @Test
    void refusesTablesOfASmallerQueue() {
        GuestRam ram = ring.ram();
        IndirectTables tables = new IndirectTables(ram.memory(), Rings.DATA, 4, 4);

        assertThrows(
                IllegalArgumentException.class,
                () -> new DriverQueue(ram.memory(), ring.addresses(), Rings.INDIRECT, tables));
    }

    /** 32768 times 131072 descriptors is 0 in 32 bits, for which there is always room. */
    @Test
    void refusesTablesWhoseSizeOverflows() {
        GuestRam ram = ring.ram();

        assertThrows(
                IllegalArgumentException.class,
                () -> new IndirectTables(ram.memory(), Rings.DATA, 32768, 131072));
    }

    @Test
    void refusesElementCountsWhoseSumOverflows() {
        DriverQueue driver = Rings.driver(ring, Rings.EVENT);
        int half = Integer.MAX_VALUE;

        assertThrows(
                IllegalArgumentException.class,
                () -> driver.add(new long[1], new long[1], half, half));
        assertEquals(8, driver.freeDescriptors());
    }
}
