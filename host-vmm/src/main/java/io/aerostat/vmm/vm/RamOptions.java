package io.aerostat.vmm.vm;

import io.aerostat.memory.backend.AnonymousBackend;
import io.aerostat.memory.backend.BackendOptions;
import io.aerostat.memory.backend.HugePages;
import io.aerostat.memory.backend.MemfdBackend;
import io.aerostat.memory.backend.MemoryBackend;
import io.aerostat.memory.backend.SimulatedBackend;

/**
 * What a machine's RAM is made of, and how it is given back.
 *
 * @param backing the kind of memory
 * @param hugePages what may stand behind it
 * @param unitBytes unit in which it is given back, a power of two from 4096 to 2 MiB; the RAM's
 *     size must be a multiple of it
 */
public record RamOptions(Backing backing, HugePages hugePages, int unitBytes) {
    /** Checks that transparent huge pages are given back whole: the kernel takes parts again. */
    public RamOptions {
        if (hugePages == HugePages.WANTED && unitBytes < BackendOptions.MAX_UNIT_BYTES) {
            throw new IllegalArgumentException(
                    "transparent huge pages want units of "
                            + BackendOptions.MAX_UNIT_BYTES
                            + ": unitBytes="
                            + unitBytes);
        }
    }

    /** RAM of small pages, each of which is given back by itself. */
    public static RamOptions of(Backing backing) {
        return new RamOptions(backing, HugePages.NEVER, BackendOptions.MIN_UNIT_BYTES);
    }

    /** Maps RAM, lazily. */
    MemoryBackend map(long bytes, long gpa) {
        BackendOptions options = new BackendOptions(bytes, gpa, hugePages, unitBytes);
        return switch (backing) {
            case ANONYMOUS -> AnonymousBackend.map(options);
            case MEMFD -> MemfdBackend.map(options);
            case SIMULATED -> SimulatedBackend.map(options);
        };
    }
}
