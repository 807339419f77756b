package io.aerostat.memory.own;

import io.aerostat.memory.os.LinuxMemory;

/** The call that gives pages of a kind of mapping back, and what they hold afterwards. */
enum Advice {
    /** Private memory without a file: dropped pages read as zero. */
    DROP_TO_ZERO(LinuxMemory.MADV_DONTNEED, true),
    /** Private copies of a file's pages: once dropped they read as the file, whatever it holds. */
    DROP_TO_FILE(LinuxMemory.MADV_DONTNEED, false),
    /** A shared file: to drop its pages would free nothing, so it gets a hole instead. */
    PUNCH_HOLE(LinuxMemory.MADV_REMOVE, true);

    private final int number;
    private final boolean leavesZeros;

    Advice(int number, boolean leavesZeros) {
        this.number = number;
        this.leavesZeros = leavesZeros;
    }

    /** The kernel's number of it. */
    int number() {
        return number;
    }

    /** Tells whether pages read as zero afterwards. */
    boolean leavesZeros() {
        return leavesZeros;
    }
}
