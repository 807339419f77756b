package io.aerostat.balloon;

import io.aerostat.virtio.device.ConfigSpace;
import io.aerostat.virtio.spec.balloon.BalloonConfigLayout;
import io.aerostat.virtio.spec.balloon.BalloonFeature;

/**
 * The balloon's configuration space: as long as the features on offer need, and with them a field
 * that the driver may write. Read by any thread; the owner changes what is the device's.
 */
final class BalloonConfig {
    private final ConfigSpace space;
    private final boolean hasHint;
    private final boolean hasPoison;

    /** A space of zeros. */
    BalloonConfig(long offered) {
        hasHint = (offered & BalloonFeature.FREE_PAGE_HINT) != 0;
        hasPoison = (offered & BalloonFeature.PAGE_POISON) != 0;
        long writable = fieldAt(BalloonConfigLayout.ACTUAL_OFFSET);
        writable |= hasPoison ? fieldAt(BalloonConfigLayout.POISON_VAL_OFFSET) : 0;
        space = new ConfigSpace(length(), writable);
    }

    // A field exists with its feature, and with any field behind it.
    private int length() {
        if (hasPoison) {
            return BalloonConfigLayout.LENGTH;
        }
        return hasHint
                ? BalloonConfigLayout.POISON_VAL_OFFSET
                : BalloonConfigLayout.FREE_PAGE_HINT_CMD_ID_OFFSET;
    }

    private static long fieldAt(int offset) {
        return 1L << (offset / Integer.BYTES);
    }

    ConfigSpace space() {
        return space;
    }

    /** Pages that the guest is asked to have in the balloon. */
    long numPages() {
        return Integer.toUnsignedLong(space.get(BalloonConfigLayout.NUM_PAGES_OFFSET));
    }

    void numPages(long pages) {
        space.set(BalloonConfigLayout.NUM_PAGES_OFFSET, (int) pages);
    }

    /** Pages that the driver says are in it. */
    long actual() {
        return Integer.toUnsignedLong(space.get(BalloonConfigLayout.ACTUAL_OFFSET));
    }

    /** Shows a command of the hinting. False without the feature. */
    boolean hintCommand(int command) {
        if (hasHint) {
            space.set(BalloonConfigLayout.FREE_PAGE_HINT_CMD_ID_OFFSET, command);
        }
        return hasHint;
    }

    /** What free pages of the guest hold, by the driver's word; 0 without the feature. */
    int poison() {
        return hasPoison ? space.get(BalloonConfigLayout.POISON_VAL_OFFSET) : 0;
    }
}
