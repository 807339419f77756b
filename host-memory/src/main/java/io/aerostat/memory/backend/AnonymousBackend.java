package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.OsException;
import io.aerostat.virtio.memory.GuestMemory;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Guest RAM in private memory of this process, for guests whose devices all live in this process.
 *
 * <p>Mapped lazily (MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE) and given back by MADV_DONTNEED,
 * after which pages read as zero. Several ranges take one process_madvise where the kernel can,
 * otherwise a madvise each. Huge pages are advised against unless asked for, see {@link HugePages}.
 * Sources: mmap(2), madvise(2), process_madvise(2).
 *
 * <p>The reclaimer's discard belongs to one thread; everything else may be called by any.
 */
public final class AnonymousBackend implements MemoryBackend {
    private final NativeMapping mapping;
    private final @Nullable VectoredDiscard vectored;
    private final NativeReclaimer reclaimer;

    private AnonymousBackend(NativeMapping mapping, @Nullable VectoredDiscard vectored) {
        this.mapping = mapping;
        this.vectored = vectored;
        long address = mapping.address();
        this.reclaimer =
                new NativeReclaimer(
                        mapping,
                        (offset, bytes) ->
                                LinuxMemory.madvise(
                                        address + offset, bytes, LinuxMemory.MADV_DONTNEED),
                        vectored);
    }

    /**
     * Maps guest RAM without huge pages, given back page by page.
     *
     * @param bytes whole host pages, more than 0
     * @param gpa guest-physical address of the first byte, a multiple of the host's page size
     * @throws UnsupportedOperationException if this is not Linux on x86-64 or aarch64
     * @throws OsException if the kernel refuses the mapping
     */
    public static AnonymousBackend map(long bytes, long gpa) {
        return map(BackendOptions.of(bytes, gpa));
    }

    /**
     * Maps guest RAM.
     *
     * @throws IllegalArgumentException if address or length are not whole units
     * @throws UnsupportedOperationException if this is not Linux on x86-64 or aarch64
     * @throws OsException if the kernel refuses the mapping, or has too few reserved huge pages
     */
    public static AnonymousBackend map(BackendOptions options) {
        return map(options, true);
    }

    /** Maps guest RAM; {@code together} allows one call for several ranges. */
    static AnonymousBackend map(BackendOptions options, boolean together) {
        GuestRange range = NativeMapping.rangeOf(options);
        NativeMapping mapping = NativeMapping.ofAnonymousMemory(range, options.hugePages());
        try {
            return new AnonymousBackend(mapping, together ? VectoredDiscard.open() : null);
        } catch (RuntimeException | Error e) {
            mapping.close(() -> {});
            throw e;
        }
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
        return "anonymous";
    }

    @Override
    public String reclaimerName() {
        return vectored == null
                ? "madvise(MADV_DONTNEED)"
                : "process_madvise(MADV_DONTNEED) for several ranges, madvise for one";
    }

    /**
     * {@inheritDoc}
     *
     * <p>Asks mincore(2), page by page. A page that was only read counts, though the kernel's
     * shared page of zeros stands behind it; what is swapped out does not. The sum over the
     * process's mappings in /proc would not do: it cannot tell this mapping from its neighbours.
     */
    @Override
    public long residentBytes() {
        return reclaimer.residentBytes(mapping.range().gpa(), mapping.range().length());
    }

    @Override
    public long failedCalls() {
        return mapping.tally().failures();
    }

    @Override
    public void close() {
        mapping.close(
                () -> {
                    if (vectored != null) {
                        vectored.close();
                    }
                });
    }
}
