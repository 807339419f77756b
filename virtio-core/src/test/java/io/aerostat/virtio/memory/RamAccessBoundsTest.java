package io.aerostat.virtio.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.aerostat.virtio.testkit.GuestRam;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.reflect.Constructor;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/** Wrong offsets, with assertions as tests have them and without, as production has them. */
final class RamAccessBoundsTest {
    @ParameterizedTest
    @ValueSource(strings = {"array", "spanning", "direct"})
    void noOffsetLeavesTheWindowWhenAssertionsAreOff(String path) throws Exception {
        // Agrona too: it checks the JVM once in each loader.
        FreshClasses loader = FreshClasses.withoutAssertions("io.aerostat.", "org.agrona.");
        Class<?> probe = loader.loadClass(UnassertedBounds.class.getName());
        Constructor<?> constructor = probe.getDeclaredConstructor();
        constructor.setAccessible(true);
        @SuppressWarnings("unchecked")
        Function<String, List<String>> bounds =
                (Function<String, List<String>>) constructor.newInstance();

        List<String> leaks = bounds.apply(path);

        assertEquals(List.of(), leaks);
    }

    static Stream<GuestRam.Kind> kinds() {
        return GuestRam.kinds();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void assertionsFindAWrongOffsetOnEveryPath(GuestRam.Kind kind) {
        GuestRam ram = GuestRam.of(kind, 4 * GuestRam.PAGE);
        RamAccess window = RamAccess.of(ram.memory(), ram.base() + 4080, 32);

        assertThrows(AssertionError.class, () -> window.getByte(32));
        assertThrows(AssertionError.class, () -> window.getUnsignedShort(31));
        assertThrows(AssertionError.class, () -> window.getInt(29));
        assertThrows(AssertionError.class, () -> window.getLong(25));
        assertThrows(AssertionError.class, () -> window.putByte(-1, (byte) 0));
        assertThrows(AssertionError.class, () -> window.putShort(31, 0));
        assertThrows(AssertionError.class, () -> window.putInt(29, 0));
        assertThrows(AssertionError.class, () -> window.putLong(25, 0));
    }
}
