package io.aerostat.vmm.report;

import io.aerostat.vmm.guest.FreeMemory;

import java.util.Locale;

/** What {@code free} prints in a guest, in KiB as there. */
public final class FreeTable {
    private FreeTable() {}

    /** The table, two lines. */
    public static String of(FreeMemory memory) {
        return String.format(
                Locale.ROOT,
                "               total        used        free%nMem:    %12d%12d%12d",
                memory.total() >> 10,
                memory.used() >> 10,
                memory.free() >> 10);
    }
}
