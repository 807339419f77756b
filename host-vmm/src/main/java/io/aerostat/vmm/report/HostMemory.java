package io.aerostat.vmm.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What the host's kernel says about memory in /proc; where there is none, nothing is known. */
public final class HostMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final Path STATUS = Path.of("/proc/self/status");

    private HostMemory() {}

    /** Bytes that can be used without swapping; Long.MAX_VALUE if that is not known. */
    public static long availableBytes() {
        return field(MEMINFO, "MemAvailable:", Long.MAX_VALUE);
    }

    /** Bytes of this process that are resident, guest RAM included; -1 if that is not known. */
    public static long processResidentBytes() {
        return field(STATUS, "VmRSS:", -1);
    }

    private static long field(Path file, String name, long unknown) {
        if (!Files.isReadable(file)) {
            return unknown;
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElse(unknown);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
