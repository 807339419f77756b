package io.aerostat.memory.os;

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
import java.util.List;
import java.util.Optional;

/**
 * Finds functions of the C library, and brings the error number of the last call of each thread.
 *
 * <p>For classes that hold one {@code static final} handle a function and call it so:
 *
 * <pre>
 *   MemorySegment state = CLibrary.state();
 *   try {
 *       return CLibrary.answer((int) CLOSE.invokeExact(state, fd), state);
 *   } catch (Throwable e) {
 *       throw CLibrary.impossible(e);
 *   }
 * </pre>
 *
 * <p>Such a call allocates nothing once it is compiled. No function is {@code critical}: that saves
 * a few nanoseconds of a call that takes hundreds, and holds up the garbage collector for all of
 * them. Safe for any thread.
 */
public final class CLibrary {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
    private static final StructLayout STATE_LAYOUT = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE_LAYOUT.varHandle(PathElement.groupElement("errno"));

    /** Where the linker puts errno: a few bytes for each thread that ever calls. */
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE_LAYOUT));

    private CLibrary() {}

    /**
     * Finds a function. One that the C library lacks is found too: it fails with ENOSYS when it is
     * called.
     *
     * @param name as in its man page
     * @return its handle, whose first parameter, before those given, is the {@link #state}
     */
    public static MethodHandle function(
            String name, MemoryLayout result, MemoryLayout... parameters) {
        return find(name, FunctionDescriptor.of(result, parameters), List.of(CAPTURE_ERRNO));
    }

    /**
     * Finds a function whose last parameters are variable ones, such as fcntl(2).
     *
     * @param fixed how many of the parameters are not
     * @return as {@link #function} does
     */
    public static MethodHandle variadicFunction(
            int fixed, String name, MemoryLayout result, MemoryLayout... parameters) {
        List<Linker.Option> options = List.of(CAPTURE_ERRNO, Linker.Option.firstVariadicArg(fixed));
        return find(name, FunctionDescriptor.of(result, parameters), options);
    }

    /** This thread's room for errno: the first argument of every call. */
    public static MemorySegment state() {
        return STATE.get();
    }

    /** The error number that the last failed call of this thread left. */
    public static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    /** A result by the kernel's convention: -1 becomes the error number, negated. */
    public static int answer(int result, MemorySegment state) {
        return result == -1 ? -errno(state) : result;
    }

    /** A result by the kernel's convention: -1 becomes the error number, negated. */
    public static long answer(long result, MemorySegment state) {
        return result == -1 ? -errno(state) : result;
    }

    /**
     * What to throw instead of what an invocation threw: native functions throw nothing, so it is a
     * lacking function's failure or a JVM out of memory.
     */
    public static RuntimeException impossible(Throwable thrown) {
        return switch (thrown) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException("a native call threw", thrown);
        };
    }

    @SuppressWarnings("restricted") // Native calls are what this package is for.
    private static MethodHandle find(
            String name, FunctionDescriptor descriptor, List<Linker.Option> options) {
        Linker.Option[] all = options.toArray(Linker.Option[]::new);
        Optional<MemorySegment> symbol = LINKER.defaultLookup().find(name);
        return symbol.isPresent()
                ? LINKER.downcallHandle(symbol.get(), descriptor, all)
                : lacking(name, LINKER.downcallHandle(descriptor, all));
    }

    /** Stands for a function that is not there. */
    private static MethodHandle lacking(String name, MethodHandle shape) {
        OsException reason = new OsException(name, "the C library does not have it", Errno.ENOSYS);
        MethodHandle thrower =
                MethodHandles.throwException(shape.type().returnType(), OsException.class)
                        .bindTo(reason);
        // The shape's first parameter is the function's address, which a bound handle has not.
        return MethodHandles.dropArguments(
                thrower, 0, shape.type().dropParameterTypes(0, 1).parameterList());
    }
}
