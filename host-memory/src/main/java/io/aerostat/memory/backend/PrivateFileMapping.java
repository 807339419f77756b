package io.aerostat.memory.backend;

import static java.nio.file.StandardOpenOption.DELETE_ON_CLOSE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.aerostat.memory.os.CallTally;
import io.aerostat.virtio.memory.GuestMemory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Guest RAM in private mappings of one temporary file: what Java maps by itself. The file is as
 * long as the longest mapping, and all of them are of its first bytes: they are private, so none
 * sees what another holds, and the kernel caches no more of the file than that.
 *
 * <p>Whoever unloads its pages enters the {@link #lifetime} first.
 */
final class PrivateFileMapping {
    private static final System.Logger LOG = System.getLogger(UnloadBackend.class.getName());

    private final GuestRange range;
    private final Arena arena;
    private final MemorySegment[] segments;
    private final int maxBytes;
    private final List<ByteBuffer> buffers;
    private final GuestMemory memory;
    private final Lifetime lifetime;
    private final CallTally tally = new CallTally(MemoryBackend.class);

    private PrivateFileMapping(
            GuestRange range, Arena arena, MemorySegment[] segments, int maxBytes) {
        this.range = range;
        this.arena = arena;
        this.segments = segments;
        this.maxBytes = maxBytes;
        this.buffers = range.buffers(maxBytes, (at, bytes) -> segments[indexOf(at)].asByteBuffer());
        this.memory = range.memoryOf(buffers);
        this.lifetime = new Lifetime("private file " + range);
    }

    /**
     * Maps guest RAM in mappings of {@code maxBytes}, whole units, the last of what is left.
     *
     * @throws UncheckedIOException if there can be no such file or mapping
     */
    static PrivateFileMapping map(GuestRange range, Path directory, int maxBytes) {
        warnOfMemoryFiles(directory);
        int count = Math.toIntExact((range.length() - 1) / maxBytes + 1);
        MemorySegment[] segments = new MemorySegment[count];
        @SuppressWarnings("MustBeClosedChecker") // Lives as long as what this returns.
        Arena arena = Arena.ofShared();
        try (FileChannel file = openNameless(directory, Math.min(maxBytes, range.length()))) {
            for (int i = 0; i < count; i++) {
                long bytes = Math.min(maxBytes, range.length() - (long) i * maxBytes);
                segments[i] = file.map(MapMode.PRIVATE, 0, bytes, arena);
            }
            return new PrivateFileMapping(range, arena, segments, maxBytes);
        } catch (IOException e) {
            arena.close();
            throw new UncheckedIOException(
                    ("guest RAM cannot be mapped from a file: " + e.getMessage())
                            + (": directory=" + directory + ", ram=" + range),
                    e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /**
     * An empty file that has lost its name, or loses it when it is closed at the latest.
     *
     * @param bytes how long it is to become
     * @throws IOException if it cannot be, or whoever touches a page of it may get SIGBUS
     */
    static FileChannel openNameless(Path directory, long bytes) throws IOException {
        if (isInMemory(directory)) {
            FileStore store = Files.getFileStore(directory);
            requireRoom(store.getTotalSpace(), store.getUsableSpace(), bytes);
        }
        Path path = Files.createTempFile(directory, "aerostat-guest-ram", null);
        try {
            // On Linux the name is gone before this returns.
            return FileChannel.open(path, READ, WRITE, DELETE_ON_CLOSE);
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(path);
            throw e;
        }
    }

    /**
     * Refuses a file system in memory where the file does not fit: its holes take room as soon as
     * they are read, and whoever reads one when there is none left gets SIGBUS.
     *
     * @param totalBytes of the file system; 0 if it has no limit
     */
    static void requireRoom(long totalBytes, long usableBytes, long fileBytes) throws IOException {
        if (totalBytes != 0 && usableBytes < fileBytes) {
            throw new IOException(
                    "the file does not fit into a file system in memory, so choose a directory on a"
                            + (" disk: fileBytes=" + fileBytes + ", usableBytes=" + usableBytes));
        }
    }

    private static void warnOfMemoryFiles(Path directory) {
        if (isInMemory(directory)) {
            LOG.log(
                    Level.WARNING,
                    "guest RAM: its file lies in memory, so as much again as the guest touches, up"
                        + " to 1 GiB, stays resident until it is closed; choose a directory on a"
                            + (" disk: directory=" + directory));
        }
    }

    static boolean isInMemory(Path directory) {
        try {
            String type = Files.getFileStore(directory).type();
            return type.equals("tmpfs") || type.equals("ramfs");
        } catch (IOException unknown) {
            return false;
        }
    }

    private int indexOf(long offset) {
        return (int) (offset / maxBytes);
    }

    /** Where the guest sees it, and in what units it is given back. */
    GuestRange range() {
        return range;
    }

    /** Guest memory on the mappings, a region each. */
    GuestMemory memory() {
        return memory;
    }

    /** The mappings' bytes, little-endian. */
    List<ByteBuffer> buffers() {
        return buffers;
    }

    /** Who is in, and whether anyone may enter any more. */
    Lifetime lifetime() {
        return lifetime;
    }

    /** Calls that were made on it. */
    CallTally tally() {
        return tally;
    }

    /** How many of {@code bytes} bytes from {@code offset} on are in the mapping of the first. */
    long bytesInOne(long offset, long bytes) {
        return Math.min(bytes, maxBytes - offset % maxBytes);
    }

    /** Drops private pages: whole units in one mapping. */
    void unload(long offset, long bytes) {
        segments[indexOf(offset)].asSlice(offset % maxBytes, bytes).unload();
    }

    /** Address in this process of the byte at {@code offset}. */
    long addressOf(long offset) {
        return segments[indexOf(offset)].address() + offset % maxBytes;
    }

    /** Waits for all who are in and unmaps; once and for all. */
    void close() {
        if (lifetime.close()) {
            arena.close();
        }
    }
}
