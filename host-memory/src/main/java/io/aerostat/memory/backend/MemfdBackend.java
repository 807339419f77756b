package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Guest RAM in a file that exists in memory alone, for guests whose devices may live in another
 * process: whoever is given the file descriptor maps the same pages.
 *
 * <p>Given back by punching holes (FALLOC_FL_PUNCH_HOLE), a call a range, after which pages read as
 * zero for all who map them. Not by MADV_DONTNEED: that succeeds on a shared mapping and frees
 * nothing. Huge pages are advised against unless asked for, see {@link HugePages}; transparent ones
 * need the host's leave for such files too ({@code
 * /sys/kernel/mm/transparent_hugepage/shmem_enabled}). Sources: memfd_create(2), mmap(2),
 * fallocate(2).
 *
 * <p>The reclaimer's discard belongs to one thread; everything else may be called by any.
 */
public final class MemfdBackend implements MemoryBackend {
    private final NativeMapping mapping;
    private final int fd;
    private final NativeReclaimer reclaimer;

    private MemfdBackend(NativeMapping mapping, int fd) {
        this.mapping = mapping;
        this.fd = fd;
        this.reclaimer = NativeReclaimer.punchingHoles(mapping, fd, 0);
    }

    /**
     * Maps guest RAM without huge pages, given back page by page.
     *
     * @param bytes whole host pages, more than 0
     * @param gpa guest-physical address of the first byte, a multiple of the host's page size
     * @throws UnsupportedOperationException if this is not Linux on x86-64 or aarch64
     * @throws OsException if the kernel refuses the file or the mapping
     */
    public static MemfdBackend map(long bytes, long gpa) {
        return map(BackendOptions.of(bytes, gpa));
    }

    /**
     * Maps guest RAM.
     *
     * @throws IllegalArgumentException if address or length are not whole units
     * @throws UnsupportedOperationException if this is not Linux on x86-64 or aarch64
     * @throws OsException if the kernel refuses the file or the mapping, or has too few reserved
     *     huge pages
     */
    public static MemfdBackend map(BackendOptions options) {
        GuestRange range = NativeMapping.rangeOf(options);
        HugePages hugePages = options.hugePages();
        int pool = hugePages == HugePages.RESERVED ? LinuxMemory.MFD_HUGETLB_2MB : 0;
        int fd = LinuxMemory.memfdCreate("aerostat-guest-ram", LinuxMemory.MFD_CLOEXEC | pool);
        try {
            LinuxMemory.ftruncate(fd, range.length());
            return new MemfdBackend(NativeMapping.ofFile(range, hugePages, fd), fd);
        } catch (RuntimeException | Error e) {
            LinuxMemory.close(fd);
            throw e;
        }
    }

    /** The file behind the RAM; this backend's to close. */
    int fileDescriptor() {
        return fd;
    }

    /** The pages themselves. */
    NativeMapping mapping() {
        return mapping;
    }

    @Override
    public GuestMemory memory() {
        return mapping.memory();
    }

    @Override
    public List<ByteBuffer> buffers() {
        return mapping.buffers();
    }

    @Override
    public PageReclaimer reclaimer() {
        mapping.lifetime().checkOpen();
        return reclaimer;
    }

    @Override
    public String backing() {
        return "memfd";
    }

    @Override
    public String reclaimerName() {
        return NativeReclaimer.PUNCHING_HOLES;
    }

    /**
     * {@inheritDoc}
     *
     * <p>The blocks that the file occupies, by statx(2): one cheap call, and pages that are swapped
     * out count, since the host still has to keep them. The reclaimer's residentBytes, for part of
     * the RAM, asks mincore(2): which pages lie in the page cache, whichever process touched them;
     * of reserved huge pages, only those that this process touched.
     */
    @Override
    public long residentBytes() {
        mapping.lifetime().enter();
        try {
            return LinuxMemory.allocatedBytes(fd);
        } catch (OsException e) {
            mapping.tally().countFailure(e);
            return PageReclaimer.UNKNOWN;
        } finally {
            mapping.lifetime().exit();
        }
    }

    @Override
    public long failedCalls() {
        return mapping.tally().failures();
    }

    @Override
    public void close() {
        mapping.close(() -> LinuxMemory.close(fd));
    }
}
