package io.aerostat.vmm.frontend;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.aerostat.vmm.os.Descriptor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** Event descriptors that make whoever reads them wait, as UML's are; the product makes none. */
final class BlockingEvents {
    private static final int EFD_CLOEXEC = 0x80000;

    private BlockingEvents() {}

    @SuppressWarnings("restricted") // A test that calls a native function.
    static Descriptor create() {
        Linker linker = Linker.nativeLinker();
        MethodHandle eventfd =
                linker.downcallHandle(
                        linker.defaultLookup().find("eventfd").orElseThrow(),
                        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        try {
            return Descriptor.owning((int) eventfd.invokeExact(0, EFD_CLOEXEC));
        } catch (Throwable e) {
            throw new AssertionError("the test's own native call failed", e);
        }
    }
}
