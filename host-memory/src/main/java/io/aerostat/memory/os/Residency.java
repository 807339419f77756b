package io.aerostat.memory.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** How much of a mapping is resident, in the kernel's own words: mincore(2). Any thread. */
public final class Residency {
    /** Most bytes that mincore fills at a time: enough for 256 MiB of 4 KiB pages. */
    private static final int CHUNK = 64 * 1024;

    private Residency() {}

    /**
     * Bytes of whole host pages that are resident.
     *
     * @param address of the first byte, a multiple of the page size
     * @param bytes whole pages, all of them mapped; 0 is none
     * @throws OsException if the kernel does not tell, such as of what is not mapped
     */
    public static long bytes(long address, long bytes) {
        if (bytes == 0) {
            return 0;
        }
        int pageBytes = LinuxMemory.pageBytes();
        long pages = 0;
        try (Arena arena = Arena.ofConfined()) {
            // Whole longs, and zero behind the last page.
            long vectorBytes = Math.min(CHUNK, (bytes / pageBytes + 7) & -Long.BYTES);
            MemorySegment vector = arena.allocate(vectorBytes, Long.BYTES);
            long chunkBytes = vectorBytes * pageBytes;
            for (long done = 0; done < bytes; done += chunkBytes) {
                long now = Math.min(chunkBytes, bytes - done);
                if (now < chunkBytes) {
                    vector.fill((byte) 0);
                }
                LinuxMemory.mincore(address + done, now, vector);
                pages += lowestBits(vector);
            }
        }
        return pages * pageBytes;
    }

    // Only the lowest bit of each byte has a meaning.
    private static long lowestBits(MemorySegment vector) {
        long bits = 0;
        for (long i = 0; i < vector.byteSize(); i += Long.BYTES) {
            bits += Long.bitCount(vector.get(ValueLayout.JAVA_LONG, i) & 0x0101_0101_0101_0101L);
        }
        return bits;
    }
}
