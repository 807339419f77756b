package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aerostat.virtio.memory.RamAccess;

import org.junit.jupiter.api.Test;

final class SimulatedBackendTest {
    @Test
    void saysThatNothingIsReturnedToTheHost() {
        try (TestRam ram = new TestRam(SimulatedBackend.map(1 << 20, TestRam.GPA))) {
            ram.reclaimer.discard(ram.ranges(0, 16));

            assertEquals("simulated", ram.backend.backing());
            assertTrue(ram.backend.reclaimerName().contains("nothing is returned to the host"));
            assertEquals(0, ram.reclaimer.discardCalls());
        }
    }

    @Test
    void aPageIsResidentFromItsFirstToItsLastByte() {
        try (TestRam ram = new TestRam(SimulatedBackend.map(4 * 4096, TestRam.GPA))) {
            RamAccess access = RamAccess.of(ram.backend.memory(), TestRam.GPA, 4 * 4096);

            access.putByte(4096, (byte) 1);
            access.putByte(3 * 4096 - 1, (byte) 1);

            assertFalse(ram.isResident(0));
            assertTrue(ram.isResident(1));
            assertTrue(ram.isResident(2));
            assertFalse(ram.isResident(3));
        }
    }

    @Test
    void splitsItsRamIntoAdjacentBuffers() {
        BackendOptions options = BackendOptions.of(10 * 4096, TestRam.GPA);

        try (TestRam ram = new TestRam(SimulatedBackend.map(options, 3 * 4096))) {
            assertEquals(4, ram.backend.memory().regionCount());
            assertEquals(4096, ram.backend.memory().region(3).length());
            assertTrue(ram.backend.memory().contains(TestRam.GPA, 10 * 4096));
        }
    }
}
