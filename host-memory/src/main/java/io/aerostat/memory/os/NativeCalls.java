package io.aerostat.memory.os;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library's functions, each called once, no retry. Answers follow the kernel's convention: a
 * negative one is the error number, negated. Safe for any thread.
 *
 * <p>Pointers into guest RAM are plain {@code long}s: no segment object is made for them, and the
 * calls allocate nothing once compiled.
 *
 * <p>This class is initialised by the first call, not before, so that a JVM on another operating
 * system never gets here. A function that the C library lacks fails with ENOSYS when it is called.
 */
final class NativeCalls {
    private static final MethodHandle GETPAGESIZE = CLibrary.function("getpagesize", JAVA_INT);
    private static final MethodHandle MMAP =
            CLibrary.function(
                    "mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT,
                    JAVA_LONG);
    private static final MethodHandle MUNMAP =
            CLibrary.function("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MADVISE =
            CLibrary.function("madvise", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MINCORE =
            CLibrary.function("mincore", JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS);
    private static final MethodHandle MEMFD_CREATE =
            CLibrary.function("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle FTRUNCATE =
            CLibrary.function("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle FALLOCATE =
            CLibrary.function("fallocate", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STATX =
            CLibrary.function("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle FSTATFS =
            CLibrary.function("fstatfs", JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle FCNTL =
            CLibrary.variadicFunction(2, "fcntl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = CLibrary.function("close", JAVA_INT, JAVA_INT);

    // Too young for many a C library, so by number; the same number on every architecture.
    private static final long PIDFD_OPEN_NUMBER = 434;
    private static final long PROCESS_MADVISE_NUMBER = 440;
    private static final MethodHandle SYSCALL_2 =
            CLibrary.variadicFunction(1, "syscall", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SYSCALL_VECTORS =
            CLibrary.variadicFunction(
                    1, "syscall", JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG,
                    JAVA_LONG);

    private NativeCalls() {}

    static int getpagesize() {
        MemorySegment state = CLibrary.state();
        try {
            return (int) GETPAGESIZE.invokeExact(state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static long mmap(long at, long length, int protection, int flags, int fd, long offset) {
        MemorySegment state = CLibrary.state();
        try {
            long address =
                    (long) MMAP.invokeExact(state, at, length, protection, flags, fd, offset);
            return CLibrary.answer(address, state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int munmap(long address, long length) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) MUNMAP.invokeExact(state, address, length), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int madvise(long address, long length, int advice) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer(
                    (int) MADVISE.invokeExact(state, address, length, advice), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int mincore(long address, long length, MemorySegment vector) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer(
                    (int) MINCORE.invokeExact(state, address, length, vector), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int memfdCreate(MemorySegment name, int flags) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) MEMFD_CREATE.invokeExact(state, name, flags), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int ftruncate(int fd, long length) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) FTRUNCATE.invokeExact(state, fd, length), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer(
                    (int) FALLOCATE.invokeExact(state, fd, mode, offset, length), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int statx(int fd, MemorySegment path, int flags, int mask, MemorySegment target) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer(
                    (int) STATX.invokeExact(state, fd, path, flags, mask, target), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int fstatfs(int fd, MemorySegment target) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) FSTATFS.invokeExact(state, fd, target), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int fcntl(int fd, int command, int argument) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) FCNTL.invokeExact(state, fd, command, argument), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int close(int fd) {
        MemorySegment state = CLibrary.state();
        try {
            return CLibrary.answer((int) CLOSE.invokeExact(state, fd), state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static int pidfdOpen(long pid) {
        MemorySegment state = CLibrary.state();
        try {
            long fd = (long) SYSCALL_2.invokeExact(state, PIDFD_OPEN_NUMBER, pid, 0L);
            return (int) CLibrary.answer(fd, state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }

    static long processMadvise(int pidfd, MemorySegment vectors, int count, int advice) {
        MemorySegment state = CLibrary.state();
        long fd = pidfd;
        long vectorCount = count;
        long adviceNumber = advice;
        try {
            long advised =
                    (long)
                            SYSCALL_VECTORS.invokeExact(
                                    state,
                                    PROCESS_MADVISE_NUMBER,
                                    fd,
                                    vectors,
                                    vectorCount,
                                    adviceNumber,
                                    0L);
            return CLibrary.answer(advised, state);
        } catch (Throwable e) {
            throw CLibrary.impossible(e);
        }
    }
}
