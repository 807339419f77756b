package io.aerostat.vmm.vm;

import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Memory as the guest has it: its RAM without the balloon.
 *
 * @param bytes a multiple of 4096, above 0
 */
public record GuestSize(long bytes) implements Comparable<GuestSize> {
    /** Checks the unit. */
    public GuestSize {
        if (bytes <= 0 || bytes % PageFrame.BYTES != 0) {
            throw new IllegalArgumentException(
                    "guest size must be whole 4096-byte pages above 0: bytes=" + bytes);
        }
    }

    /** The smallest guest size that holds {@code bytes}. */
    public static GuestSize roundedUp(long bytes) {
        return new GuestSize(Math.addExact(bytes, PageFrame.BYTES - 1) & -PageFrame.BYTES);
    }

    /** The balloon that leaves a guest of this size out of one of {@code maximum}. */
    public BalloonSize balloonWithin(GuestSize maximum) {
        return new BalloonSize((maximum.bytes - bytes) >>> PageFrame.SHIFT);
    }

    /** This size, or {@code maximum} if that is less. */
    public GuestSize atMost(GuestSize maximum) {
        return compareTo(maximum) > 0 ? maximum : this;
    }

    /** Pages of 4096 bytes. */
    public long pages() {
        return bytes >>> PageFrame.SHIFT;
    }

    @Override
    public int compareTo(GuestSize other) {
        return Long.compare(bytes, other.bytes);
    }
}
