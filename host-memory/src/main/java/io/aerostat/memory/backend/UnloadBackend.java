package io.aerostat.memory.backend;

import io.aerostat.balloon.range.PageReclaimer;
import io.aerostat.virtio.memory.GuestMemory;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * Guest RAM for JVMs that may make no native calls: Java alone maps it and gives it back, so it
 * works under {@code --illegal-native-access=deny} and without any flag.
 *
 * <p>It is a private mapping of a temporary file that is all holes and has no name any more. A page
 * that the guest writes becomes a copy in private memory; to unload it drops the copy, and the page
 * reads as the file again: zeros. Nothing is ever written to the disk.
 *
 * <pre>
 *   RAM, 1 GiB a mapping   [ 0 ]          [ 1 ]          [ 2 ]
 *                            └──────────────┼──────────────┘
 *   file, at most 1 GiB                   [ holes ]       every mapping is of its first bytes
 * </pre>
 *
 * <p><b>What it costs.</b> To copy a page the kernel first reads it from the file, and keeps that
 * page of zeros in its page cache: as much again as the guest has touched, but at most 1 GiB in
 * all. On a disk's file system such pages are clean, and the kernel takes them as soon as it wants
 * memory. On a tmpfs, as {@code /tmp} often is, it cannot, until the backend is closed: choose a
 * directory that is not on one, see {@link #map(BackendOptions, Path)}. One that has not room for
 * as much is refused; if others fill it later, the guest's first touch of a page fails as an {@link
 * InternalError}. A host that hands out no more memory than it has ({@code vm.overcommit_memory=2})
 * reckons with all of the RAM from the start, since Java has no MAP_NORESERVE. {@link
 * AnonymousBackend} has none of these costs.
 *
 * <p>How large a page is, and that unloaded pages read as zero, is tried out when RAM is mapped.
 * Where it doesn't hold (Windows, macOS) this is RAM like any other, but nothing is given back: the
 * reclaimer accepts nothing and says that contents stay as they were.
 *
 * <p>After {@link #close} an access through a buffer throws {@link IllegalStateException}; one
 * through {@link #memory} does so too where the JVM reaches RAM through buffers, but ends the JVM
 * where it uses raw addresses. So here too: stop every user of the memory first.
 *
 * <p>The reclaimer's discard belongs to one thread; everything else may be called by any.
 */
public final class UnloadBackend implements MemoryBackend {
    private static final String RECLAIMER = "MemorySegment.unload";

    private final PrivateFileMapping mapping;
    private final UnloadReclaimer reclaimer;

    private UnloadBackend(PrivateFileMapping mapping, int pageBytes) {
        this.mapping = mapping;
        this.reclaimer = new UnloadReclaimer(mapping, pageBytes);
    }

    /**
     * Maps guest RAM, given back in the host's pages, with its file in the directory for temporary
     * files ({@code java.io.tmpdir}).
     *
     * @param bytes whole host pages, more than 0
     * @param gpa guest-physical address of the first byte, a multiple of the host's page size
     * @throws UncheckedIOException if there can be no such file or mapping
     */
    public static UnloadBackend map(long bytes, long gpa) {
        return map(BackendOptions.of(bytes, gpa));
    }

    /**
     * Maps guest RAM with its file in the directory for temporary files.
     *
     * @throws IllegalArgumentException if address or length are not whole units, or {@link
     *     HugePages#RESERVED} is asked for, which takes native calls
     * @throws UncheckedIOException if there can be no such file or mapping
     */
    public static UnloadBackend map(BackendOptions options) {
        return map(options, Path.of(System.getProperty("java.io.tmpdir")));
    }

    /**
     * Maps guest RAM. There are no transparent huge pages for it, whatever is wished.
     *
     * @param directory where its file is made and deleted at once; not on a tmpfs if it can be
     *     helped. The file takes no room there.
     * @throws IllegalArgumentException as {@link #map(BackendOptions)} does
     * @throws UncheckedIOException if there can be no such file or mapping
     */
    public static UnloadBackend map(BackendOptions options, Path directory) {
        int pageBytes = UnloadProbe.leastUnitBytes(directory);
        return map(options, directory, pageBytes, GuestRange.MAX_BUFFER_BYTES);
    }

    /**
     * Maps guest RAM.
     *
     * @param pageBytes the host's, as the probe found it
     * @param maxMappingBytes most bytes of a mapping, whole units
     */
    static UnloadBackend map(
            BackendOptions options, Path directory, int pageBytes, int maxMappingBytes) {
        if (options.hugePages() == HugePages.RESERVED) {
            throw new IllegalArgumentException(
                    "reserved huge pages take native calls: take AnonymousBackend or MemfdBackend:"
                            + (" hugePages=" + options.hugePages()));
        }
        // Whatever the host's page is: at least the guest's.
        GuestRange range = options.rangeOn(Math.max(pageBytes, BackendOptions.MIN_UNIT_BYTES));
        PrivateFileMapping mapping = PrivateFileMapping.map(range, directory, maxMappingBytes);
        return new UnloadBackend(mapping, pageBytes);
    }

    @Override
    public GuestMemory memory() {
        mapping.lifetime().checkOpen();
        return mapping.memory();
    }

    @Override
    public List<ByteBuffer> buffers() {
        mapping.lifetime().checkOpen();
        return GuestRange.views(mapping.buffers());
    }

    @Override
    public PageReclaimer reclaimer() {
        mapping.lifetime().checkOpen();
        return reclaimer;
    }

    @Override
    public String backing() {
        return "private file";
    }

    @Override
    public String reclaimerName() {
        return reclaimer.contentAfterDiscard() == PageReclaimer.Content.ZERO
                ? RECLAIMER
                : RECLAIMER + " (nothing is returned to this host)";
    }

    /**
     * {@inheritDoc}
     *
     * <p>The pages that this process has private copies of, as /proc/self/pagemap tells page by
     * page. The file's own pages of zeros don't count, nor does what is swapped out.
     */
    @Override
    public long residentBytes() {
        GuestRange range = mapping.range();
        return reclaimer.residentBytes(range.gpa(), range.length());
    }

    /** Calls to unload that failed; and questions about residency that met no answer. */
    @Override
    public long failedCalls() {
        return mapping.tally().failures();
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if a channel is just reading into or writing from a buffer: the
     *     RAM then stays mapped until the JVM ends
     */
    @Override
    public void close() {
        mapping.close();
    }
}
