package io.aerostat.memory.backend;

import io.aerostat.memory.os.LinuxMemory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Files in memory that play another process's guest RAM, and the descriptors of them. */
final class RegionFiles implements AutoCloseable {
    /** What /proc calls them. */
    static final String NAME = "memfd:region-files";

    private final List<Integer> descriptors = new ArrayList<>();

    /** A file of {@code bytes} bytes, closed with all the others. */
    int file(long bytes) {
        return file(bytes, 0);
    }

    /** A file of huge pages, which takes none from the pool until they are touched. */
    int hugeFile(long bytes) {
        return file(bytes, LinuxMemory.MFD_HUGETLB_2MB);
    }

    private int file(long bytes, int flags) {
        int fd = LinuxMemory.memfdCreate("region-files", LinuxMemory.MFD_CLOEXEC | flags);
        descriptors.add(fd);
        LinuxMemory.ftruncate(fd, bytes);
        return fd;
    }

    /**
     * RAM as asked for, in three adjacent regions where it is long enough: the first and the last
     * in one file, the other way round, the one between in another.
     */
    static FileRegionsBackend mapInThree(BackendOptions options) {
        boolean huge = options.hugePages() == HugePages.RESERVED;
        long unit = options.unitBytes();
        long third = options.bytes() / unit / 3 * unit;
        long gpa = options.gpa();
        long rest = options.bytes() - 2 * third;
        long fileBytes = Math.max(0, rest + third + unit) & -unit;
        try (RegionFiles files = new RegionFiles()) {
            int outer = huge ? files.hugeFile(fileBytes) : files.file(fileBytes);
            int inner = huge ? files.hugeFile(fileBytes) : files.file(fileBytes);
            List<FileRegion> regions = new ArrayList<>();
            regions.add(new FileRegion(outer, 0, gpa + options.bytes() - rest, rest));
            if (third > 0) {
                regions.add(new FileRegion(inner, unit, gpa + third, third));
                regions.add(new FileRegion(outer, rest, gpa, third));
            }
            return FileRegionsBackend.map(regions);
        }
    }

    /** The value, little-endian as the guest's, that is in the file at {@code offset}. */
    static long read(int fd, long offset) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel file = open(fd)) {
            file.read(bytes, offset);
        }
        return bytes.getLong(0);
    }

    static void write(int fd, long offset, long value) throws IOException {
        try (FileChannel file = open(fd)) {
            ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            file.write(bytes.putLong(0, value), offset);
        }
    }

    private static FileChannel open(int fd) throws IOException {
        return FileChannel.open(
                Path.of("/proc/self/fd/" + fd), StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Override
    public void close() {
        descriptors.forEach(LinuxMemory::close);
        descriptors.clear();
    }
}
