package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.agrona.UnsafeApi;
import org.junit.jupiter.api.Test;

import java.util.function.BooleanSupplier;

/**
 * Whether raw addresses are open is found out even if someone has tried before: the JVM says
 * IllegalAccessError the first time only, and NoClassDefFoundError ever after.
 */
final class RawAddressProbeTest {
    @Test
    void survivesThatSomeoneElseTriedFirst() throws ReflectiveOperationException {
        boolean open = triesAgrona(() -> UnsafeApi.addressSize() > 0);

        // Our classes anew, on the Agrona that was tried already.
        Class<?> again = new FreshClasses("io.aerostat.").loadClass(RamAccess.class.getName());
        Object supported = again.getMethod("supportsRawAddresses").invoke(null);

        assertEquals(open, supported);
    }

    private static boolean triesAgrona(BooleanSupplier attempt) {
        try {
            return attempt.getAsBoolean();
        } catch (LinkageError closed) {
            return false;
        }
    }
}
