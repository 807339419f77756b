package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertThrows;

import org.agrona.BufferUtil;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;

/** An index at an even guest address is one access only if its host address is even too. */
final class HostAlignmentTest {
    @Test
    @Tag("raw-address")
    void refusesARawAddressThatWouldTearFields() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
        long address = BufferUtil.address(buffer) + 1;

        assertThrows(
                IllegalArgumentException.class,
                () -> RamRegion.ofAddress(0, 4096, address, buffer));
    }

    @Test
    void refusesADirectSliceThatWouldTearFields() {
        ByteBuffer slice = ByteBuffer.allocateDirect(8192).slice(1, 4096);

        assertThrows(IllegalArgumentException.class, () -> RamRegion.ofBuffer(0, slice));
    }

    @Test
    void refusesASliceOfAnArrayThatWouldTearFields() {
        ByteBuffer slice = ByteBuffer.allocate(8192).slice(1, 4096);

        assertThrows(IllegalArgumentException.class, () -> RamRegion.ofBuffer(0, slice));
    }
}
