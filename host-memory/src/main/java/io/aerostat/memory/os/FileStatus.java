package io.aerostat.memory.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the kernel says of an open file. A value: the file may be another the next moment.
 *
 * @param device where it is: major number in the upper, minor number in the lower 32 bits
 * @param inode its number there; both together tell files apart
 * @param sizeBytes its length, holes included; 0 for what is no file with a length
 * @param allocatedBytes storage that it occupies, holes excepted
 */
public record FileStatus(long device, long inode, long sizeBytes, long allocatedBytes) {
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_INO = 0x100;
    private static final int STATX_SIZE = 0x200;
    private static final int STATX_BLOCKS = 0x400;

    private static final long HUGETLBFS_MAGIC = 0x958458f6L;

    /**
     * Asks for a file's status: statx(2). Not fstat(2): its structure differs between
     * architectures, and older C libraries do not export it.
     */
    public static FileStatus of(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(StatxLayout.LENGTH, Long.BYTES);
            MemorySegment noPath = arena.allocateFrom("");
            int mask = STATX_INO | STATX_SIZE | STATX_BLOCKS;
            int result = NativeCalls.statx(fd, noPath, AT_EMPTY_PATH, mask, status);
            if (result < 0) {
                throw new OsException("statx", "fd=" + fd, -result);
            }
            long major = status.get(JAVA_INT, StatxLayout.DEVICE_MAJOR_OFFSET);
            long minor = status.get(JAVA_INT, StatxLayout.DEVICE_MINOR_OFFSET);
            return new FileStatus(
                    (major << Integer.SIZE) | (minor & 0xFFFF_FFFFL),
                    status.get(JAVA_LONG, StatxLayout.INODE_OFFSET),
                    status.get(JAVA_LONG, StatxLayout.SIZE_OFFSET),
                    status.get(JAVA_LONG, StatxLayout.BLOCKS_OFFSET) * StatxLayout.BLOCK_BYTES);
        }
    }

    /**
     * Bytes of the pages that a file is made of: huge ones on hugetlbfs, otherwise {@link
     * LinuxMemory#pageBytes}. Source: fstatfs(2).
     */
    public static long pageBytesOf(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(StatfsLayout.LENGTH, Long.BYTES);
            int result = NativeCalls.fstatfs(fd, status);
            if (result < 0) {
                throw new OsException("fstatfs", "fd=" + fd, -result);
            }
            return status.get(JAVA_LONG, StatfsLayout.TYPE_OFFSET) == HUGETLBFS_MAGIC
                    ? status.get(JAVA_LONG, StatfsLayout.BLOCK_BYTES_OFFSET)
                    : LinuxMemory.pageBytes();
        }
    }

    /** Tells whether it is the same file, whatever has become of it. */
    public boolean isSameFileAs(FileStatus other) {
        return device == other.device && inode == other.inode;
    }
}
