package io.aerostat.guest.balloon;

/** Why a driver gave a live device up. */
public enum DeviceLoss {
    /** The device asked for a reset. */
    NEEDS_RESET,
    /** The device broke a ring: the driver's last fault says how. */
    RING_BROKEN,
    /** The device is not there any more, or does not know its driver: it was pulled, or reset. */
    GONE
}
