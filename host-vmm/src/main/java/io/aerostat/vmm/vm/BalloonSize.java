package io.aerostat.vmm.vm;

import io.aerostat.virtio.spec.balloon.PageFrame;

/**
 * Memory in the balloon: taken from the guest.
 *
 * @param pages pages of 4096 bytes, 0 or more
 */
public record BalloonSize(long pages) {
    /** Checks the range. */
    public BalloonSize {
        if (pages < 0) {
            throw new IllegalArgumentException("a balloon has no negative size: pages=" + pages);
        }
    }

    /** Bytes in the balloon. */
    public long bytes() {
        return pages << PageFrame.SHIFT;
    }

    /** The guest that this balloon leaves out of one of {@code maximum}. */
    public GuestSize guestWithin(GuestSize maximum) {
        return new GuestSize(maximum.bytes() - bytes());
    }
}
