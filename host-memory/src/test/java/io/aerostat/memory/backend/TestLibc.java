package io.aerostat.memory.backend;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** Native calls that make the product's own calls fail in earnest. */
public final class TestLibc {
    private static final Linker LINKER = Linker.nativeLinker();

    private TestLibc() {}

    /** Locks pages in memory: the kernel then refuses MADV_DONTNEED for them with EINVAL. */
    public static void mlock(long address, long length) throws Throwable {
        MethodHandle mlock = find("mlock", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
        check((int) mlock.invokeExact(address, length));
    }

    /** Lets go of locked pages. */
    public static void munlock(long address, long length) throws Throwable {
        MethodHandle munlock =
                find("munlock", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
        check((int) munlock.invokeExact(address, length));
    }

    /** Makes {@code target} stand for the file of {@code source}. */
    public static void dup2(int source, int target) throws Throwable {
        MethodHandle dup2 = find("dup2", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        check((int) dup2.invokeExact(source, target));
    }

    @SuppressWarnings("restricted") // A test that calls native functions.
    private static MethodHandle find(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(LINKER.defaultLookup().find(name).orElseThrow(), descriptor);
    }

    private static void check(int result) {
        if (result < 0) {
            throw new AssertionError("the test's own native call failed");
        }
    }
}
