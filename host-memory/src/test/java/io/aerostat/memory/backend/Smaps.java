package io.aerostat.memory.backend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel says of a mapping of this process: proc_pid_smaps(5). */
public final class Smaps {
    private Smaps() {}

    /** Bytes that a field such as "AnonHugePages" counts in the mapping that holds the address. */
    public static long bytes(long address, String field) throws IOException {
        return Long.parseLong(line(address, field).replaceAll("[^0-9]", "")) * 1024;
    }

    /** A field's line of the mapping that holds the address. */
    static String line(long address, String field) throws IOException {
        boolean inside = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                String[] bounds = line.substring(0, line.indexOf(' ')).split("-", -1);
                inside =
                        Long.compareUnsigned(address, Long.parseUnsignedLong(bounds[0], 16)) >= 0
                                && Long.compareUnsigned(
                                                address, Long.parseUnsignedLong(bounds[1], 16))
                                        < 0;
            } else if (inside && line.startsWith(field + ":")) {
                return line;
            }
        }
        throw new AssertionError("not mapped: address=" + Long.toHexString(address));
    }
}
