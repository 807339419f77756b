package io.aerostat.memory.backend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The host's pool of huge pages of 2 MiB. What needs them is tested where they are; to have it
 * tested on a machine: {@code sysctl vm.nr_hugepages=80}.
 */
final class HugePagePool {
    /** What a test of every backend takes. */
    static final int TEST_PAGES = 40;

    private static final Path FOLDER = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB");

    private HugePagePool() {}

    /** Tells whether as many pages can be had. */
    static boolean has(int pages) {
        if (!Files.isDirectory(FOLDER)) {
            return false;
        }
        long free = number("free_hugepages") - number("resv_hugepages");
        long onDemand = number("nr_overcommit_hugepages") - number("surplus_hugepages");
        return free + Math.max(0, onDemand) >= pages;
    }

    private static long number(String file) {
        try {
            return Long.parseLong(Files.readString(FOLDER.resolve(file)).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
