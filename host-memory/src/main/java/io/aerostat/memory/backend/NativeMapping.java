package io.aerostat.memory.backend;

import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * A mapping of this process that is guest RAM, and the question how much of it is resident. Its
 * owner says when it goes: nothing here checks that it is still mapped, see {@link Lifetime}.
 */
final class NativeMapping {
    /** Most bytes that mincore fills at a time: enough for 256 MiB of 4 KiB pages. */
    private static final int RESIDENCY_CHUNK = 64 * 1024;

    private static final int PROTECTION = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;

    private final GuestRange range;
    private final long address;

    private NativeMapping(GuestRange range, long address) {
        this.range = range;
        this.address = address;
    }

    /**
     * The guest range of {@code bytes} at {@code gpa} in this host's pages.
     *
     * @throws UnsupportedOperationException if this host has no native guest memory
     */
    static GuestRange rangeOf(long bytes, long gpa) {
        if (!LinuxMemory.isSupported()) {
            throw new UnsupportedOperationException(
                    "native guest memory needs 64-bit Linux on x86-64 or aarch64, else take"
                            + (" SimulatedBackend: os=" + System.getProperty("os.name"))
                            + (", architecture=" + System.getProperty("os.arch")));
        }
        return new GuestRange(gpa, bytes, LinuxMemory.pageBytes());
    }

    /** Private memory: none of it is there until it is touched, no swap is set aside for it. */
    static NativeMapping ofAnonymousMemory(GuestRange range) {
        int flags = LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS | LinuxMemory.MAP_NORESERVE;
        return new NativeMapping(range, LinuxMemory.mmap(range.length(), PROTECTION, flags, -1, 0));
    }

    /** A whole file, shared with whoever else maps it. */
    static NativeMapping ofFile(GuestRange range, int fd) {
        int flags = LinuxMemory.MAP_SHARED | LinuxMemory.MAP_NORESERVE;
        return new NativeMapping(range, LinuxMemory.mmap(range.length(), PROTECTION, flags, fd, 0));
    }

    /** Where the guest sees it. */
    GuestRange range() {
        return range;
    }

    /** Address of the first byte in this process. */
    long address() {
        return address;
    }

    /** Follows the wish for huge pages. A kernel built without them has nothing to refuse. */
    void advise(HugePages hugePages) {
        switch (hugePages) {
            case NEVER -> adviseIfKnown(LinuxMemory.MADV_NOHUGEPAGE);
            case HOST_POLICY -> {}
            case WANTED -> adviseIfKnown(LinuxMemory.MADV_HUGEPAGE);
        }
    }

    private void adviseIfKnown(int advice) {
        try {
            LinuxMemory.madvise(address, range.length(), advice);
        } catch (OsException e) {
            if (!e.errnoName().equals("EINVAL")) {
                throw e;
            }
        }
    }

    /** Guest memory by raw address if this JVM allows it, otherwise in buffers on the mapping. */
    GuestMemory memory() {
        return RamAccess.supportsRawAddresses()
                ? GuestMemory.of(RamRegion.ofAddress(range.gpa(), range.length(), address, this))
                : memoryInBuffers(GuestRange.MAX_BUFFER_BYTES);
    }

    /** Guest memory in buffers of at most {@code maxBytes} each. */
    GuestMemory memoryInBuffers(int maxBytes) {
        return range.inBuffers(maxBytes, this::buffer);
    }

    @SuppressWarnings("restricted") // The bytes are those of our own mapping.
    private ByteBuffer buffer(long offset, int bytes) {
        return MemorySegment.ofAddress(address + offset).reinterpret(bytes).asByteBuffer();
    }

    /**
     * Bytes of a part that are resident, by mincore(2).
     *
     * <p>For private memory that is what has been touched, be it only read: a page of zeros that
     * the kernel shares among all readers counts, though it costs nothing. For a file it is what
     * lies in the page cache, whoever touched it. What is swapped out is not resident.
     *
     * @param offset bytes from the start, whole pages
     * @param bytes whole pages inside the mapping
     */
    long residentBytes(long offset, long bytes) {
        if (bytes == 0) {
            return 0;
        }
        int pageBytes = range.pageBytes();
        long pages = 0;
        try (Arena arena = Arena.ofConfined()) {
            // Whole longs, and zero behind the last page.
            long vectorBytes = Math.min(RESIDENCY_CHUNK, (bytes / pageBytes + 7) & -Long.BYTES);
            MemorySegment vector = arena.allocate(vectorBytes, Long.BYTES);
            long chunkBytes = vectorBytes * pageBytes;
            for (long done = 0; done < bytes; done += chunkBytes) {
                long now = Math.min(chunkBytes, bytes - done);
                if (now < chunkBytes) {
                    vector.fill((byte) 0);
                }
                LinuxMemory.mincore(address + offset + done, now, vector);
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

    /** Unmaps it, once and for all. */
    void unmap() {
        LinuxMemory.munmap(address, range.length());
    }
}
