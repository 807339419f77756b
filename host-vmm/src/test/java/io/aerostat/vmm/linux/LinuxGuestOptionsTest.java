package io.aerostat.vmm.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

final class LinuxGuestOptionsTest {
    private static final LinuxGuestOptions OPTIONS = LinuxGuestOptions.of(64L << 20);

    @ParameterizedTest
    @ValueSource(longs = {-4096, 0, 47L << 20, (64L << 20) + 1})
    void refusesMemoryThatNoKernelBootsWith(long bytes) {
        assertThrows(IllegalArgumentException.class, () -> LinuxGuestOptions.of(bytes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/tmp/a b", "/tmp/a:b", "/tmp/a\nb"})
    void refusesASocketThatTheKernelWouldMisread(String path) {
        assertThrows(
                IllegalArgumentException.class, () -> OPTIONS.withBalloonSocket(Path.of(path)));
    }

    @Test
    void refusesASocketsPathThatIsTooLong() {
        Path longest = Path.of("/" + "s".repeat(106));

        assertEquals(Optional.of(longest), OPTIONS.withBalloonSocket(longest).balloonSocket());
        assertThrows(
                IllegalArgumentException.class,
                () -> OPTIONS.withBalloonSocket(Path.of(longest + "s")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a\n"})
    void refusesAKernelArgumentThatWouldBeSeveral(String argument) {
        assertThrows(IllegalArgumentException.class, () -> OPTIONS.withKernelArguments(argument));
    }

    @Test
    void refusesNoTimeToBoot() {
        assertThrows(IllegalArgumentException.class, () -> OPTIONS.withBootDeadline(Duration.ZERO));
    }
}
