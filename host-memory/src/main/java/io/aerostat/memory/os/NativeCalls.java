package io.aerostat.memory.os;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * The C library's functions, each called once, no retry. Answers follow the kernel's convention: a
 * negative one is the error number, negated. Safe for any thread.
 *
 * <p>Pointers into guest RAM are plain {@code long}s: no segment object is made for them, and the
 * calls allocate nothing once compiled. None of the calls is {@code critical}: that saves a few
 * nanoseconds of a call that takes hundreds, and holds up the garbage collector for all of them.
 *
 * <p>This class is initialised by the first call, not before, so that a JVM on another operating
 * system never gets here. A function that the C library lacks fails with ENOSYS when it is called.
 */
final class NativeCalls {
    /** Function not implemented. */
    static final int ENOSYS = 38;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE_LAYOUT = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE_LAYOUT.varHandle(PathElement.groupElement("errno"));

    /** Where the linker puts errno: a few bytes for each thread that ever calls. */
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE_LAYOUT));

    private static final MethodHandle GETPAGESIZE = find("getpagesize", JAVA_INT);
    private static final MethodHandle MMAP =
            find("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle MUNMAP = find("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MADVISE =
            find("madvise", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MINCORE =
            find("mincore", JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS);
    private static final MethodHandle MEMFD_CREATE =
            find("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle FTRUNCATE = find("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle FALLOCATE =
            find("fallocate", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STATX =
            find("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle CLOSE = find("close", JAVA_INT, JAVA_INT);

    // Too young for many a C library, so by number; the same number on every architecture.
    private static final long PIDFD_OPEN_NUMBER = 434;
    private static final long PROCESS_MADVISE_NUMBER = 440;
    private static final MethodHandle SYSCALL_2 =
            find("syscall", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SYSCALL_VECTORS =
            find(
                    "syscall", JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG,
                    JAVA_LONG);

    private NativeCalls() {}

    static int getpagesize() {
        MemorySegment state = STATE.get();
        try {
            return (int) GETPAGESIZE.invokeExact(state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static long mmap(long at, long length, int protection, int flags, int fd, long offset) {
        MemorySegment state = STATE.get();
        try {
            long address =
                    (long) MMAP.invokeExact(state, at, length, protection, flags, fd, offset);
            return address == -1 ? -errno(state) : address;
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int munmap(long address, long length) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) MUNMAP.invokeExact(state, address, length), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int madvise(long address, long length, int advice) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) MADVISE.invokeExact(state, address, length, advice), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int mincore(long address, long length, MemorySegment vector) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) MINCORE.invokeExact(state, address, length, vector), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int memfdCreate(MemorySegment name, int flags) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) MEMFD_CREATE.invokeExact(state, name, flags), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int ftruncate(int fd, long length) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) FTRUNCATE.invokeExact(state, fd, length), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) FALLOCATE.invokeExact(state, fd, mode, offset, length), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int statx(int fd, MemorySegment path, int flags, int mask, MemorySegment target) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) STATX.invokeExact(state, fd, path, flags, mask, target), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int close(int fd) {
        MemorySegment state = STATE.get();
        try {
            return answer((int) CLOSE.invokeExact(state, fd), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static int pidfdOpen(long pid) {
        MemorySegment state = STATE.get();
        try {
            long fd = (long) SYSCALL_2.invokeExact(state, PIDFD_OPEN_NUMBER, pid, 0L);
            return fd == -1 ? -errno(state) : (int) fd;
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    static long processMadvise(int pidfd, MemorySegment vectors, int count, int advice) {
        MemorySegment state = STATE.get();
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
            return advised == -1 ? -errno(state) : advised;
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    private static int answer(int result, MemorySegment state) {
        return result == -1 ? -errno(state) : result;
    }

    private static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    @SuppressWarnings("restricted") // Native calls are what this package is for.
    private static MethodHandle find(String name, MemoryLayout result, MemoryLayout... parameters) {
        FunctionDescriptor descriptor = FunctionDescriptor.of(result, parameters);
        Linker.Option captureErrno = Linker.Option.captureCallState("errno");
        Linker.Option[] options =
                name.equals("syscall")
                        ? new Linker.Option[] {captureErrno, Linker.Option.firstVariadicArg(1)}
                        : new Linker.Option[] {captureErrno};
        Optional<MemorySegment> symbol = LINKER.defaultLookup().find(name);
        return symbol.isPresent()
                ? LINKER.downcallHandle(symbol.get(), descriptor, options)
                : lacking(name, LINKER.downcallHandle(descriptor, options));
    }

    /** Stands for a function that is not there. */
    private static MethodHandle lacking(String name, MethodHandle shape) {
        OsException reason = new OsException(name, "the C library does not have it", ENOSYS);
        MethodHandle thrower =
                MethodHandles.throwException(shape.type().returnType(), OsException.class)
                        .bindTo(reason);
        // The shape's first parameter is the function's address, which a bound handle has not.
        return MethodHandles.dropArguments(
                thrower, 0, shape.type().dropParameterTypes(0, 1).parameterList());
    }

    /** Native functions throw nothing: only a lacking one, or a JVM out of memory, comes here. */
    private static RuntimeException impossible(Throwable thrown) {
        return switch (thrown) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException("a native call threw", thrown);
        };
    }
}
