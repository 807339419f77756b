package io.aerostat.memory.own;

import io.aerostat.balloon.range.PageRanges;
import io.aerostat.memory.backend.AnonymousBackend;
import io.aerostat.memory.backend.Smaps;
import io.aerostat.memory.os.LinuxMemory;
import io.aerostat.memory.os.Residency;
import io.aerostat.virtio.memory.GuestMemory;
import io.aerostat.virtio.memory.RamAccess;
import io.aerostat.virtio.memory.RamRegion;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Stream;

/** Guest RAM of a kind that embedders allocate, in host pages numbered from 0. */
final class OwnRam implements AutoCloseable {
    /** How it was allocated. */
    enum Kind {
        /** By address alone; needs the JVM export. */
        RAW_ADDRESS,
        ALIGNED_SLICE,
        PRIVATE_FILE,
        SHARED_FILE_IN_MEMORY,
        SHARED_FILE_ON_DISK;

        /** The kinds that this JVM can have. */
        static Stream<Kind> here() {
            return Arrays.stream(values())
                    .filter(kind -> kind != RAW_ADDRESS || RamAccess.supportsRawAddresses());
        }

        boolean isZeroAfterwards() {
            return this != PRIVATE_FILE;
        }

        /**
         * Least bytes that are no longer resident after some were given back. Of a file on a disk
         * the kernel may keep a page or another for a while that it cached in one piece with
         * others.
         */
        long leastFall(long accepted) {
            return this == SHARED_FILE_ON_DISK ? accepted / 2 : accepted;
        }
    }

    static final long GPA = 0x4000_0000L;

    /** What a file holds that is mapped privately. */
    static final byte IN_FILE = 0x11;

    final int page = LinuxMemory.pageBytes();
    final int pages;
    final RamRegion region;
    final GuestMemory memory;
    private final @Nullable Kind kind;
    private final ByteBuffer bytes;
    private final Runnable release;

    private OwnRam(@Nullable Kind kind, RamRegion region, ByteBuffer bytes, Runnable release) {
        this.kind = kind;
        this.region = region;
        this.bytes = bytes;
        this.memory = GuestMemory.of(region);
        this.pages = (int) (region.length() / page);
        this.release = release;
    }

    static OwnRam of(Kind kind, int pages) {
        int length = pages * LinuxMemory.pageBytes();
        return switch (kind) {
            case RAW_ADDRESS -> byAddress(length);
            case ALIGNED_SLICE -> {
                int page = LinuxMemory.pageBytes();
                ByteBuffer room = ByteBuffer.allocateDirect(length + page);
                yield of(kind, room.alignedSlice(page).slice(0, length));
            }
            case PRIVATE_FILE -> of(kind, mapped(temporary(), MapMode.PRIVATE, length));
            case SHARED_FILE_IN_MEMORY ->
                    of(kind, mapped(Path.of("/dev/shm"), MapMode.READ_WRITE, length));
            case SHARED_FILE_ON_DISK -> of(kind, mapped(temporary(), MapMode.READ_WRITE, length));
        };
    }

    /** RAM in a buffer. */
    static OwnRam of(ByteBuffer buffer) {
        return of(null, buffer);
    }

    private static OwnRam of(@Nullable Kind kind, ByteBuffer buffer) {
        return new OwnRam(kind, RamRegion.ofBuffer(GPA, buffer), buffer, () -> {});
    }

    private static OwnRam byAddress(int length) {
        AnonymousBackend backend = AnonymousBackend.map(length, 0);
        ByteBuffer buffer = backend.buffers().getFirst();
        long address = MemorySegment.ofBuffer(buffer).address();
        RamRegion region = RamRegion.ofAddress(GPA, length, address, backend);
        return new OwnRam(Kind.RAW_ADDRESS, region, buffer, backend::close);
    }

    private static ByteBuffer mapped(Path directory, MapMode mode, int length) {
        try {
            Path path = Files.createTempFile(directory, "own-ram", null);
            byte[] content = new byte[length];
            Arrays.fill(content, IN_FILE);
            Files.write(path, content);
            try (FileChannel file =
                    FileChannel.open(
                            path,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE)) {
                return file.map(mode, 0, length);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path temporary() {
        return Path.of(System.getProperty("java.io.tmpdir"));
    }

    /** Fills all of it with a value. */
    void fill(int value) {
        for (int i = 0; i < bytes.capacity(); i++) {
            bytes.put(i, (byte) value);
        }
    }

    /** Tells whether all bytes from one to another hold a value. */
    boolean holds(long from, long to, int value) {
        for (long i = from; i < to; i++) {
            if (bytes.get((int) i) != value) {
                return false;
            }
        }
        return true;
    }

    /** Tells whether all of a page holds a value. */
    boolean pageHolds(int index, int value) {
        return holds((long) index * page, (index + 1L) * page, value);
    }

    /** Address of the first byte. */
    long address() {
        return MemorySegment.ofBuffer(bytes).address();
    }

    /**
     * Bytes of whole host pages in it that are resident, past the code under test; of a private
     * file, those that are copies.
     */
    long residentBytes() throws IOException {
        if (kind == Kind.PRIVATE_FILE) {
            return Smaps.bytes(address(), "Anonymous");
        }
        long start = (address() + page - 1) & -page;
        long end = (address() + bytes.capacity()) & -page;
        return Residency.bytes(start, end - start);
    }

    /** Ranges of pages as pairs of first page and number of pages. */
    PageRanges ranges(int... firstAndCount) {
        PageRanges ranges = new PageRanges(Math.max(1, firstAndCount.length / 2));
        int guestPages = page / RamRegion.PAGE_BYTES;
        for (int i = 0; i < firstAndCount.length; i += 2) {
            ranges.add(
                    GPA / RamRegion.PAGE_BYTES + (long) firstAndCount[i] * guestPages,
                    firstAndCount[i + 1] * guestPages);
        }
        return ranges;
    }

    @Override
    public void close() {
        release.run();
    }
}
