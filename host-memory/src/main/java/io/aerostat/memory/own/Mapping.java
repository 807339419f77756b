package io.aerostat.memory.own;

import org.jspecify.annotations.Nullable;

/**
 * A mapping of this process, as the kernel describes it.
 *
 * @param start address of the first byte
 * @param end address behind the last byte
 * @param permissions four letters, such as {@code rw-p}
 * @param inode of its file, 0 if it has none
 * @param name of its file, or what the kernel calls it in brackets, or empty
 * @param flags two letters each, with a space around each; empty if the kernel does not tell
 */
record Mapping(long start, long end, String permissions, long inode, String name, String flags) {
    /** Tells whether the byte at {@code address} is in it. */
    boolean holds(long address) {
        return Long.compareUnsigned(address, start) >= 0 && Long.compareUnsigned(address, end) < 0;
    }

    /** How its pages are given back, or null if they cannot be: see {@link #obstacle}. */
    @Nullable Advice advice() {
        if (obstacle() != Obstacle.NONE) {
            return null;
        }
        if (isShared()) {
            return Advice.PUNCH_HOLE;
        }
        return inode == 0 ? Advice.DROP_TO_ZERO : Advice.DROP_TO_FILE;
    }

    /** Why its pages cannot be given back; {@link Obstacle#NONE} if they can. */
    Obstacle obstacle() {
        if (has("ht")) {
            return Obstacle.HUGE_PAGES;
        }
        if (has("io") || has("pf") || isTheKernels() || (isShared() && inode == 0)) {
            return Obstacle.SPECIAL;
        }
        if (has("lo")) {
            return Obstacle.LOCKED;
        }
        return permissions.charAt(1) == 'w' ? Obstacle.NONE : Obstacle.READ_ONLY;
    }

    private boolean isShared() {
        return permissions.charAt(3) == 's';
    }

    // Such as [stack] and [vdso]; the heap of malloc and memory that somebody gave a name are not.
    private boolean isTheKernels() {
        return inode == 0
                && name.startsWith("[")
                && !name.equals("[heap]")
                && !name.startsWith("[anon:");
    }

    private boolean has(String flag) {
        return flags.contains(" " + flag + " ");
    }
}
