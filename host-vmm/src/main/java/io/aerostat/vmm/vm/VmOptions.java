package io.aerostat.vmm.vm;

import io.aerostat.balloon.BalloonOptions;

import java.util.Optional;

/**
 * How a virtual machine is made.
 *
 * @param name what users call it
 * @param maximum its RAM, fixed for its life
 * @param floor the smallest size that {@link VirtualMachine#setMemory} asks the guest for
 * @param ram what the RAM is made of
 * @param balloon the balloon device, or empty to have none
 */
public record VmOptions(
        String name,
        GuestSize maximum,
        GuestSize floor,
        RamOptions ram,
        Optional<BalloonOptions> balloon) {
    /** Checks that the floor is no higher than the maximum. */
    public VmOptions {
        if (floor.compareTo(maximum) > 0) {
            throw new IllegalArgumentException(
                    "floor must not be above the maximum: floor="
                            + floor.bytes()
                            + ", maximum="
                            + maximum.bytes());
        }
    }
}
