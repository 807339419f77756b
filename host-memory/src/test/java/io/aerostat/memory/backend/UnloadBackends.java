package io.aerostat.memory.backend;

import java.nio.file.Path;

/** RAM without native calls, in mappings as short as a test wants them. */
final class UnloadBackends {
    static final Path DIRECTORY = Path.of(System.getProperty("java.io.tmpdir"));

    private UnloadBackends() {}

    /** RAM in mappings of at most {@code bytes}, or the whole units in that. */
    static UnloadBackend map(BackendOptions options, int bytes) {
        int pageBytes = UnloadProbe.leastUnitBytes(DIRECTORY);
        int unit = Math.max(options.unitBytes(), pageBytes);
        return UnloadBackend.map(
                options, DIRECTORY, pageBytes, Math.max(unit, bytes / unit * unit));
    }
}
