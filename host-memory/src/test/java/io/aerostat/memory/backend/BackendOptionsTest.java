package io.aerostat.memory.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class BackendOptionsTest {
    private static final BackendOptions OPTIONS = BackendOptions.of(8 << 20, 0);

    @Test
    void theDefaultIsTheSmallestUnitAndNoHugePages() {
        assertEquals(new BackendOptions(8 << 20, 0, HugePages.NEVER, 4096), OPTIONS);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                Integer.MIN_VALUE,
                -4096,
                0,
                1,
                2048,
                4095,
                4097,
                12288,
                (2 << 20) + 1,
                4 << 20
            })
    void refusesAUnitThatIsNoPowerOfTwoFrom4KiBTo2MiB(int unitBytes) {
        assertThrows(IllegalArgumentException.class, () -> OPTIONS.withUnitBytes(unitBytes));
    }

    @ParameterizedTest
    @CsvSource({
        "NEVER, 4096, 4096, 4096",
        "NEVER, 4096, 16384, 16384",
        "NEVER, 65536, 4096, 65536",
        "WANTED, 4096, 4096, 4096",
        "WANTED, 2097152, 65536, 2097152",
        "HOST_POLICY, 4096, 65536, 65536",
        "RESERVED, 4096, 4096, 2097152",
        "RESERVED, 65536, 65536, 2097152",
    })
    void theUnitIsRaisedToWhatTheHostCanDo(
            HugePages hugePages, int asked, int pageBytes, int unitBytes) {
        BackendOptions options = OPTIONS.withHugePages(hugePages).withUnitBytes(asked);

        assertEquals(unitBytes, options.rangeOn(pageBytes).unitBytes());
    }

    @Test
    void ramThatIsNotWholeUnitsIsRefusedWithAWayOut() {
        BackendOptions uneven = BackendOptions.of((8 << 20) + 4096, 0).withUnitBytes(64 << 10);

        String message =
                assertThrows(IllegalArgumentException.class, () -> uneven.rangeOn(4096))
                        .getMessage();

        assertTrue(message.contains("round it to them or choose smaller ones"), message);
        assertTrue(message.endsWith("gpa=0x0, bytes=8392704, unitBytes=65536"), message);
    }
}
