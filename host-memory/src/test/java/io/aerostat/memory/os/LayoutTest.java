package io.aerostat.memory.os;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** The structures as the kernel has them on x86-64 and aarch64, in literal numbers. */
final class LayoutTest {
    @Test
    void theStatusOfAFileIsTheKernels() {
        assertEquals(32, StatxLayout.INODE_OFFSET);
        assertEquals(40, StatxLayout.SIZE_OFFSET);
        assertEquals(48, StatxLayout.BLOCKS_OFFSET);
        assertEquals(136, StatxLayout.DEVICE_MAJOR_OFFSET);
        assertEquals(140, StatxLayout.DEVICE_MINOR_OFFSET);
        assertEquals(256, StatxLayout.LENGTH);
    }

    @Test
    void theStatusOfAFileSystemIsTheKernels() {
        assertEquals(0, StatfsLayout.TYPE_OFFSET);
        assertEquals(8, StatfsLayout.BLOCK_BYTES_OFFSET);
        assertEquals(120, StatfsLayout.LENGTH);
    }
}
