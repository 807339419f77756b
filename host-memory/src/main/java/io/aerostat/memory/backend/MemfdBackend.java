package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;

/**
 * Guest RAM in a file that exists in memory alone, for guests whose devices may live in another
 * process: whoever is given the file descriptor maps the same pages.
 *
 * <p>Given back by punching holes (FALLOC_FL_PUNCH_HOLE), a call a range, after which pages read as
 * zero for all who map them. Not by MADV_DONTNEED: that succeeds on a shared mapping and frees
 * nothing. Huge pages are advised against. Sources: memfd_create(2), mmap(2), fallocate(2).
 *
 * <p>The reclaimer's discard belongs to one thread; everything else may be called by any.
 */
public final class MemfdBackend implements MemoryBackend {
    private static final int PUNCH_MODE =
            LinuxMemory.FALLOC_FL_PUNCH_HOLE | LinuxMemory.FALLOC_FL_KEEP_SIZE;

    private final NativeMapping mapping;
    private final int fd;
    private final Lifetime lifetime;
    private final CallTally tally = new CallTally();
    private final GuestMemory memory;
    private final NativeReclaimer reclaimer;

    private MemfdBackend(NativeMapping mapping, int fd) {
        this.mapping = mapping;
        this.fd = fd;
        this.lifetime = new Lifetime("memfd " + mapping.range());
        this.memory = mapping.memory();
        this.reclaimer =
                new NativeReclaimer(
                        mapping,
                        lifetime,
                        tally,
                        (offset, bytes) -> LinuxMemory.fallocate(fd, PUNCH_MODE, offset, bytes),
                        null);
    }

    /**
     * Maps guest RAM.
     *
     * @param bytes whole host pages, more than 0
     * @param gpa guest-physical address of the first byte, a multiple of the host's page size
     * @throws UnsupportedOperationException if this is not Linux on x86-64 or aarch64
     * @throws OsException if the kernel refuses the file or the mapping
     */
    public static MemfdBackend map(long bytes, long gpa) {
        GuestRange range = NativeMapping.rangeOf(bytes, gpa);
        int fd = LinuxMemory.memfdCreate("aerostat-guest-ram", LinuxMemory.MFD_CLOEXEC);
        try {
            LinuxMemory.ftruncate(fd, bytes);
            NativeMapping mapping = NativeMapping.ofFile(range, fd);
            try {
                mapping.advise(HugePages.NEVER);
                return new MemfdBackend(mapping, fd);
            } catch (RuntimeException | Error e) {
                mapping.unmap();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            LinuxMemory.close(fd);
            throw e;
        }
    }

    /** The file behind the RAM; this backend's to close. */
    int fileDescriptor() {
        return fd;
    }

    @Override
    public GuestMemory memory() {
        lifetime.checkOpen();
        return memory;
    }

    @Override
    public PageReclaimer reclaimer() {
        lifetime.checkOpen();
        return reclaimer;
    }

    @Override
    public String backing() {
        return "memfd";
    }

    @Override
    public String reclaimerName() {
        return "fallocate(FALLOC_FL_PUNCH_HOLE)";
    }

    /**
     * {@inheritDoc}
     *
     * <p>The blocks that the file occupies, by statx(2): one cheap call, and pages that are swapped
     * out count, since the host still has to keep them. The reclaimer's residentBytes, for part of
     * the RAM, asks mincore(2): which pages lie in the page cache, whichever process touched them.
     */
    @Override
    public long residentBytes() {
        lifetime.enter();
        try {
            return LinuxMemory.allocatedBytes(fd);
        } catch (OsException e) {
            tally.countFailure(e);
            return PageReclaimer.UNKNOWN;
        } finally {
            lifetime.exit();
        }
    }

    @Override
    public long failedCalls() {
        return tally.failures();
    }

    @Override
    public void close() {
        if (lifetime.close()) {
            try {
                mapping.unmap();
            } finally {
                LinuxMemory.close(fd);
            }
        }
    }
}
