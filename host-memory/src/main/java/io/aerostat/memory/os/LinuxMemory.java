package io.aerostat.memory.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Linux's memory calls, by the names of their man pages. Constants are those of x86-64 and aarch64,
 * which agree on all that is used here.
 *
 * <p>Safe for any thread. Nothing is checked: the caller answers for addresses, lengths and file
 * descriptors. A call that fails throws {@link OsException}. Where the man page names a passing
 * failure (EINTR, EAGAIN) the call is made again, at most {@value #MAX_ATTEMPTS} times in all.
 */
public final class LinuxMemory {
    /** Pages may not be touched: mmap(2). */
    public static final int PROT_NONE = 0;

    /** Pages may be read: mmap(2). */
    public static final int PROT_READ = 1;

    /** Pages may be written: mmap(2). */
    public static final int PROT_WRITE = 2;

    /** Stores reach the file and its other mappings: mmap(2). */
    public static final int MAP_SHARED = 1;

    /** Stores stay in this mapping: mmap(2). */
    public static final int MAP_PRIVATE = 2;

    /** No file behind it, zero at first: mmap(2). */
    public static final int MAP_ANONYMOUS = 0x20;

    /**
     * No swap space is set aside for it, and no huge pages of the host's pool: mmap(2). Whoever
     * touches a huge page that the pool does not have then gets SIGBUS.
     */
    public static final int MAP_NORESERVE = 0x4000;

    /** Huge pages of 2 MiB from the host's pool (MAP_HUGETLB, MAP_HUGE_2MB): mmap(2). */
    public static final int MAP_HUGETLB_2MB = 0x40000 | (21 << 26);

    /**
     * Drop the pages of a private mapping; they read as zero afterwards if it is anonymous, and as
     * its file otherwise: madvise(2).
     */
    public static final int MADV_DONTNEED = 4;

    /**
     * Free the pages of a shared, writable mapping together with what its file keeps there; they
     * read as zero afterwards, for all who map the file: madvise(2).
     */
    public static final int MADV_REMOVE = 9;

    /** Back the range by transparent huge pages where possible: madvise(2). */
    public static final int MADV_HUGEPAGE = 14;

    /** Never back the range by transparent huge pages: madvise(2). */
    public static final int MADV_NOHUGEPAGE = 15;

    /** The file descriptor does not survive execve: memfd_create(2). */
    public static final int MFD_CLOEXEC = 1;

    /**
     * The file is made of huge pages of 2 MiB from the host's pool (MFD_HUGETLB, MFD_HUGE_2MB):
     * memfd_create(2), Linux 4.14.
     */
    public static final int MFD_HUGETLB_2MB = 4 | (21 << 26);

    /** The file's length stays: fallocate(2). */
    public static final int FALLOC_FL_KEEP_SIZE = 1;

    /** Free the file's pages; they read as zero afterwards: fallocate(2). */
    public static final int FALLOC_FL_PUNCH_HOLE = 2;

    private static final int MAP_FIXED = 0x10;

    private static final int MAX_ATTEMPTS = 100;

    private static final int F_DUPFD_CLOEXEC = 1030;

    private LinuxMemory() {}

    /**
     * Tells whether the calls of this class work here: on 64-bit Linux for x86-64 or aarch64. Needs
     * no native access itself.
     */
    public static boolean isSupported() {
        return isSupported(
                System.getProperty("os.name", ""),
                System.getProperty("os.arch", ""),
                ValueLayout.ADDRESS.byteSize());
    }

    static boolean isSupported(String osName, String architecture, long pointerBytes) {
        boolean known = architecture.equals("amd64") || architecture.equals("aarch64");
        return osName.equals("Linux") && known && pointerBytes == Long.BYTES;
    }

    /**
     * Returns where the calls of this class work here, and this JVM may make them.
     *
     * @param instead what to take where they don't
     * @throws UnsupportedOperationException otherwise, with a message for whoever runs the program
     */
    public static void requireSupport(String instead) {
        if (!isSupported()) {
            throw new UnsupportedOperationException(
                    ("native guest memory needs 64-bit Linux on x86-64 or aarch64, else take "
                                    + instead)
                            + (": os=" + System.getProperty("os.name"))
                            + (", architecture=" + System.getProperty("os.arch")));
        }
        try {
            pageBytes();
        } catch (LinkageError | IllegalCallerException refused) {
            throw new UnsupportedOperationException(
                    "native guest memory needs native calls, which this JVM refuses: start it with"
                            + (" --enable-native-access=ALL-UNNAMED, or take " + instead),
                    refused);
        }
    }

    /** The host's page size in bytes, a power of two from 4096 up: getpagesize(2). */
    public static int pageBytes() {
        return NativeCalls.getpagesize();
    }

    /**
     * Maps memory where the kernel likes: mmap(2).
     *
     * @param length bytes, more than 0
     * @param protection {@code PROT_*}
     * @param flags {@code MAP_*}
     * @param fd the file, or -1 for an anonymous mapping
     * @param offset in the file, in bytes, a multiple of the page size
     * @return address of the first byte, a multiple of the page size
     */
    public static long mmap(long length, int protection, int flags, int fd, long offset) {
        long address = NativeCalls.mmap(0, length, protection, flags, fd, offset);
        if (address < 0) {
            String arguments =
                    ("length=" + length + ", protection=" + protection + ", flags=")
                            + (hex(flags) + ", fd=" + fd + ", offset=" + offset);
            throw new OsException("mmap", arguments, (int) -address);
        }
        return address;
    }

    /**
     * Maps memory at a given place, instead of whatever is there: mmap(2) with MAP_FIXED. A file is
     * mapped from its first byte on.
     *
     * @param address a multiple of the page size, in a mapping of the caller's own
     * @param length bytes, more than 0
     * @param protection {@code PROT_*}
     * @param flags {@code MAP_*}
     * @param fd the file, or -1 for an anonymous mapping
     */
    public static void mmapAt(long address, long length, int protection, int flags, int fd) {
        long result = NativeCalls.mmap(address, length, protection, flags | MAP_FIXED, fd, 0);
        if (result < 0) {
            String arguments =
                    (range(address, length) + ", protection=" + protection + ", flags=")
                            + (hex(flags | MAP_FIXED) + ", fd=" + fd);
            throw new OsException("mmap", arguments, (int) -result);
        }
    }

    /**
     * Unmaps whole pages: munmap(2). Nobody may use them again, under pain of a crash.
     *
     * @param address a multiple of the page size
     * @param length bytes, more than 0
     */
    public static void munmap(long address, long length) {
        int result = NativeCalls.munmap(address, length);
        if (result < 0) {
            throw new OsException("munmap", range(address, length), -result);
        }
    }

    /**
     * Advises on a range of this process: madvise(2). Tried again on EAGAIN.
     *
     * @param address a multiple of the page size
     * @param length bytes; the kernel rounds them <em>up</em> to whole pages
     * @param advice {@code MADV_*}
     */
    public static void madvise(long address, long length, int advice) {
        int result;
        int attempt = 0;
        do {
            result = NativeCalls.madvise(address, length, advice);
        } while (result == -Errno.EAGAIN && again(++attempt));
        if (result < 0) {
            throw new OsException(
                    "madvise", range(address, length) + ", advice=" + advice, -result);
        }
    }

    /**
     * Advises on many ranges at once: process_madvise(2). Linux takes {@link #MADV_DONTNEED} for
     * the calling process since 6.13 and refuses it before with EINVAL. No man page names a passing
     * failure, so nothing is tried again.
     *
     * @param pidfd from {@link #pidfdOpen}
     * @param vectors ranges, each page-aligned
     * @param advice {@code MADV_*}
     * @return bytes advised, in the order of the vectors: fewer than asked if one of them failed,
     *     or if they sum up to 2 GiB or more
     */
    public static long processMadvise(int pidfd, IoVectors vectors, int advice) {
        long advised = NativeCalls.processMadvise(pidfd, vectors.array(), vectors.count(), advice);
        if (advised < 0) {
            String arguments =
                    "pidfd=" + pidfd + ", vectors=" + vectors.count() + ", advice=" + advice;
            throw new OsException("process_madvise", arguments, (int) -advised);
        }
        return advised;
    }

    /**
     * Opens a file descriptor for a process, closed on execve: pidfd_open(2), Linux 5.3.
     *
     * @param pid a process
     */
    public static int pidfdOpen(long pid) {
        int fd = NativeCalls.pidfdOpen(pid);
        if (fd < 0) {
            throw new OsException("pidfd_open", "pid=" + pid, -fd);
        }
        return fd;
    }

    /**
     * Asks which pages are resident: mincore(2). Tried again on EAGAIN.
     *
     * @param address a multiple of the page size
     * @param length bytes, all of them mapped
     * @param vector takes a byte for each page, whose lowest bit is set if the page is resident
     */
    public static void mincore(long address, long length, MemorySegment vector) {
        int result;
        int attempt = 0;
        do {
            result = NativeCalls.mincore(address, length, vector);
        } while (result == -Errno.EAGAIN && again(++attempt));
        if (result < 0) {
            throw new OsException("mincore", range(address, length), -result);
        }
    }

    /**
     * Makes a file that exists in memory alone: memfd_create(2), Linux 3.17.
     *
     * @param name what /proc shows, at most 249 bytes; need not be unique
     * @param flags {@code MFD_*}
     * @return its file descriptor
     */
    public static int memfdCreate(String name, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = NativeCalls.memfdCreate(arena.allocateFrom(name), flags);
            if (fd < 0) {
                throw new OsException(
                        "memfd_create", "name=" + name + ", flags=" + hex(flags), -fd);
            }
            return fd;
        }
    }

    /**
     * Sets a file's length: ftruncate(2). Tried again on EINTR.
     *
     * @param length bytes, 0 or more
     */
    public static void ftruncate(int fd, long length) {
        int result;
        int attempt = 0;
        do {
            result = NativeCalls.ftruncate(fd, length);
        } while (result == -Errno.EINTR && again(++attempt));
        if (result < 0) {
            throw new OsException("ftruncate", "fd=" + fd + ", length=" + length, -result);
        }
    }

    /**
     * Allocates or frees part of a file: fallocate(2). Tried again on EINTR.
     *
     * @param mode {@code FALLOC_FL_*}
     * @param offset bytes
     * @param length bytes, more than 0; parts of a page are filled with zeros, not freed
     */
    public static void fallocate(int fd, int mode, long offset, long length) {
        int result;
        int attempt = 0;
        do {
            result = NativeCalls.fallocate(fd, mode, offset, length);
        } while (result == -Errno.EINTR && again(++attempt));
        if (result < 0) {
            String arguments =
                    "fd=" + fd + ", mode=" + mode + ", offset=" + offset + ", length=" + length;
            throw new OsException("fallocate", arguments, -result);
        }
    }

    /** Bytes of storage that a file occupies, holes excepted: statx(2). */
    public static long allocatedBytes(int fd) {
        return FileStatus.of(fd).allocatedBytes();
    }

    /**
     * Makes another descriptor for the same open file, closed on execve: fcntl(2), F_DUPFD_CLOEXEC.
     */
    public static int duplicate(int fd) {
        int result = NativeCalls.fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (result < 0) {
            throw new OsException("fcntl", "fd=" + fd + ", command=F_DUPFD_CLOEXEC", -result);
        }
        return result;
    }

    /**
     * Closes a file descriptor: close(2). Never tried again: after EINTR Linux has closed it, and
     * the number may already be someone else's, so EINTR is no failure here.
     */
    public static void close(int fd) {
        int result = NativeCalls.close(fd);
        if (result < 0 && result != -Errno.EINTR) {
            throw new OsException("close", "fd=" + fd, -result);
        }
    }

    private static boolean again(int attempt) {
        Thread.onSpinWait();
        return attempt < MAX_ATTEMPTS;
    }

    private static String range(long address, long length) {
        return "address=" + hex(address) + ", length=" + length;
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
