package io.aerostat.memory.backend;

import io.aerostat.memory.os.CallTally;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.memory.os.Residency;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A mapping of this process that is guest RAM: where it is, how long it lives, how much of it is
 * resident, and what became of the system calls on it.
 *
 * <p>Whoever reaches for its pages enters the {@link #lifetime} first; nothing else here checks
 * that it is still mapped.
 */
final class NativeMapping {
    private static final int PROTECTION = LinuxMemory.PROT_READ | LinuxMemory.PROT_WRITE;

    private final GuestRange range;
    private final long address;
    private final GuestMemory memory;
    private final Lifetime lifetime;
    private final CallTally tally;

    private NativeMapping(GuestRange range, long address, Lifetime lifetime, CallTally tally) {
        this.range = range;
        this.address = address;
        this.lifetime = lifetime;
        this.tally = tally;
        this.memory =
                RamAccess.supportsRawAddresses()
                        ? GuestMemory.of(
                                RamRegion.ofAddress(range.gpa(), range.length(), address, this))
                        : memoryInBuffers(GuestRange.MAX_BUFFER_BYTES);
    }

    /**
     * The guest range of {@code options} in this host's units.
     *
     * @throws UnsupportedOperationException if this host has no native guest memory
     */
    static GuestRange rangeOf(BackendOptions options) {
        requireSupport();
        return options.rangeOn(LinuxMemory.pageBytes());
    }

    /**
     * Nothing, where there can be native guest memory.
     *
     * @throws UnsupportedOperationException if this host has none, or this JVM may not ask for it
     */
    static void requireSupport() {
        LinuxMemory.requireSupport("UnloadBackend or SimulatedBackend");
    }

    /** Private memory: none of it is there until it is touched. */
    static NativeMapping ofAnonymousMemory(GuestRange range, HugePages hugePages) {
        int flags = LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS;
        int pool = hugePages == HugePages.RESERVED ? LinuxMemory.MAP_HUGETLB_2MB : 0;
        return map(range, hugePages, flags | pool, -1);
    }

    /**
     * A whole file, shared with whoever else maps it; made of huge pages already if they are
     * reserved ones.
     */
    static NativeMapping ofFile(GuestRange range, HugePages hugePages, int fd) {
        return map(range, hugePages, LinuxMemory.MAP_SHARED, fd);
    }

    /**
     * Part of a file, shared with whoever else maps it, and one of several mappings that live and
     * are counted together. Brings no transparent huge pages; if the file is made of huge pages,
     * sets none of them aside.
     *
     * @param fileOffset bytes, whole pages of the file
     */
    static NativeMapping ofFileRegion(
            GuestRange range, int fd, long fileOffset, Lifetime lifetime, CallTally tally) {
        int lazily = LinuxMemory.MAP_SHARED | LinuxMemory.MAP_NORESERVE;
        long address = LinuxMemory.mmap(range.length(), PROTECTION, lazily, fd, fileOffset);
        return mapped(range, HugePages.NEVER, address, lifetime, tally);
    }

    private static NativeMapping map(GuestRange range, HugePages hugePages, int kind, int fd) {
        long length = range.length();
        int lazily = kind | LinuxMemory.MAP_NORESERVE;
        long address =
                switch (hugePages) {
                    case NEVER -> LinuxMemory.mmap(length, PROTECTION, lazily, fd, 0);
                    case HOST_POLICY, WANTED -> mmapAligned(length, lazily, fd);
                    case RESERVED -> mmapFromPool(length, kind, fd);
                };
        Lifetime lifetime = new Lifetime("native " + range);
        return mapped(range, hugePages, address, lifetime, new CallTally(MemoryBackend.class));
    }

    /** Takes over what was mapped; unmaps it if that fails. */
    private static NativeMapping mapped(
            GuestRange range,
            HugePages hugePages,
            long address,
            Lifetime lifetime,
            CallTally tally) {
        try {
            advise(address, range.length(), hugePages);
            return new NativeMapping(range, address, lifetime, tally);
        } catch (RuntimeException | Error e) {
            LinuxMemory.munmap(address, range.length());
            throw e;
        }
    }

    /** Maps at a multiple of a huge page: takes room for one more, and lets go of both ends. */
    private static long mmapAligned(long length, int flags, int fd) {
        int nothing =
                LinuxMemory.MAP_PRIVATE | LinuxMemory.MAP_ANONYMOUS | LinuxMemory.MAP_NORESERVE;
        long room = length + HugePages.BYTES;
        long start = LinuxMemory.mmap(room, LinuxMemory.PROT_NONE, nothing, -1, 0);
        long address = (start + HugePages.BYTES - 1) & -HugePages.BYTES;
        try {
            LinuxMemory.mmapAt(address, length, PROTECTION, flags, fd);
            munmapBetween(start, address);
            munmapBetween(address + length, start + room);
            return address;
        } catch (RuntimeException | Error e) {
            LinuxMemory.munmap(start, room);
            throw e;
        }
    }

    private static void munmapBetween(long start, long end) {
        if (start < end) {
            LinuxMemory.munmap(start, end - start);
        }
    }

    /** Maps huge pages, all of them set aside now: one that is missing later would be a SIGBUS. */
    private static long mmapFromPool(long length, int flags, int fd) {
        try {
            return LinuxMemory.mmap(length, PROTECTION, flags, fd, 0);
        } catch (OsException e) {
            if (!e.errnoName().equals("ENOMEM")) {
                throw e;
            }
            throw e.withRemedy(
                    "the host's pool has not so many free huge pages of 2 MiB; its administrator"
                            + " adds to it with sysctl vm.nr_hugepages=N, where this RAM alone"
                            + (" takes N=" + length / HugePages.BYTES));
        }
    }

    /** Follows the wish for huge pages. A kernel built without them has nothing to refuse. */
    private static void advise(long address, long length, HugePages hugePages) {
        switch (hugePages) {
            case NEVER -> adviseIfKnown(address, length, LinuxMemory.MADV_NOHUGEPAGE);
            case WANTED -> adviseIfKnown(address, length, LinuxMemory.MADV_HUGEPAGE);
            case HOST_POLICY, RESERVED -> {}
        }
    }

    private static void adviseIfKnown(long address, long length, int advice) {
        try {
            LinuxMemory.madvise(address, length, advice);
        } catch (OsException e) {
            if (!e.errnoName().equals("EINVAL")) {
                throw e;
            }
        }
    }

    /** Where the guest sees it, and in what units it is given back. */
    GuestRange range() {
        return range;
    }

    /** Address of the first byte in this process. */
    long address() {
        return address;
    }

    /** Who is in, and whether anyone may enter any more. */
    Lifetime lifetime() {
        return lifetime;
    }

    /** System calls that were made on it. */
    CallTally tally() {
        return tally;
    }

    /** Guest memory by raw address if this JVM allows it, otherwise in buffers on the mapping. */
    GuestMemory memory() {
        lifetime.checkOpen();
        return memory;
    }

    /** Guest memory in buffers of at most {@code maxBytes} each. */
    GuestMemory memoryInBuffers(int maxBytes) {
        return range.inBuffers(maxBytes, this::buffer);
    }

    /** The bytes in buffers of at most 1 GiB each. */
    List<ByteBuffer> buffers() {
        lifetime.checkOpen();
        return range.buffers(GuestRange.MAX_BUFFER_BYTES, this::buffer);
    }

    @SuppressWarnings("restricted") // The bytes are those of our own mapping.
    private ByteBuffer buffer(long offset, int bytes) {
        return MemorySegment.ofAddress(address + offset).reinterpret(bytes).asByteBuffer();
    }

    /**
     * Bytes of a part that are resident, by mincore(2): whole host pages, whatever the unit.
     *
     * <p>For private memory that is what has been touched, be it only read: a page of zeros that
     * the kernel shares among all readers counts, though it costs nothing. For a file it is what
     * lies in the page cache, whoever touched it; if it is made of reserved huge pages, what this
     * process touched. What is swapped out is not resident.
     *
     * @param offset bytes from the start, whole units
     * @param bytes whole units inside the mapping
     */
    long residentBytes(long offset, long bytes) {
        return Residency.bytes(address + offset, bytes);
    }

    /**
     * Waits for all who are in, unmaps, and then closes what the calls on it needed; once and for
     * all.
     */
    void close(Runnable closeDescriptor) {
        if (lifetime.close()) {
            unmap(closeDescriptor);
        }
    }

    /** Unmaps and closes, for whoever has closed the lifetime of several mappings. */
    void unmap(Runnable closeDescriptor) {
        try {
            LinuxMemory.munmap(address, range.length());
        } finally {
            closeDescriptor.run();
        }
    }
}
