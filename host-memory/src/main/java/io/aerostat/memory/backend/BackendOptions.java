package io.aerostat.memory.backend;

import io.aerostat.virtio.memory.RamRegion;

import java.util.Objects;

/**
 * What guest RAM is asked for. A value; whether the host can do it is seen when it is mapped.
 *
 * <p>Memory is given back in whole units. Large ones cost fewer system calls, and a unit of 2 MiB
 * can be one huge page of the host; but a unit goes back only when all of its pages are in the
 * balloon, so a guest that names pages here and there gives less.
 *
 * @param bytes length, whole units, more than 0
 * @param gpa guest-physical address of the first byte, a multiple of the unit
 * @param hugePages what may stand behind it
 * @param unitBytes least bytes that are given back at a time, a power of two from {@value
 *     #MIN_UNIT_BYTES} to {@value #MAX_UNIT_BYTES}. The unit is larger where the host cannot do
 *     less: its page size at least, and a huge page with {@link HugePages#RESERVED}. The reclaimer
 *     says which it is.
 */
public record BackendOptions(long bytes, long gpa, HugePages hugePages, int unitBytes) {
    /** The smallest unit: a guest's page. */
    public static final int MIN_UNIT_BYTES = RamRegion.PAGE_BYTES;

    /** The largest unit: a huge page of 2 MiB. */
    public static final int MAX_UNIT_BYTES = HugePages.BYTES;

    /** Checks the unit; addresses and lengths are checked against the host's unit on mapping. */
    public BackendOptions {
        Objects.requireNonNull(hugePages, "hugePages");
        if (unitBytes < MIN_UNIT_BYTES
                || unitBytes > MAX_UNIT_BYTES
                || Integer.bitCount(unitBytes) != 1) {
            throw new IllegalArgumentException(
                    ("unit must be a power of two from " + MIN_UNIT_BYTES + " to ")
                            + (MAX_UNIT_BYTES + ": unitBytes=" + unitBytes));
        }
    }

    /** RAM without huge pages, given back in the smallest unit that the host has. */
    public static BackendOptions of(long bytes, long gpa) {
        return new BackendOptions(bytes, gpa, HugePages.NEVER, MIN_UNIT_BYTES);
    }

    /** These options with other huge pages. */
    public BackendOptions withHugePages(HugePages hugePages) {
        return new BackendOptions(bytes, gpa, hugePages, unitBytes);
    }

    /** These options with another unit. */
    public BackendOptions withUnitBytes(int unitBytes) {
        return new BackendOptions(bytes, gpa, hugePages, unitBytes);
    }

    /** The guest range asked for, in the units of a host with pages of {@code pageBytes}. */
    GuestRange rangeOn(int pageBytes) {
        int least = hugePages == HugePages.RESERVED ? HugePages.BYTES : pageBytes;
        return new GuestRange(gpa, bytes, Math.max(unitBytes, least));
    }
}
