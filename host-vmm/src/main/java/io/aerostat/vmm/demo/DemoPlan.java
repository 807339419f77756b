package io.aerostat.vmm.demo;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.PageFrame;
import io.aerostat.vmm.vm.Backing;
import io.aerostat.vmm.vm.GuestSize;
import io.aerostat.vmm.vm.RamOptions;
import io.aerostat.vmm.vm.VmOptions;

import java.util.Optional;

/**
 * What the demo does.
 *
 * @param maximum the guest's memory
 * @param target what setmem brings it to
 * @param backing what the RAM is made of
 * @param hasBalloon whether there is a balloon device
 * @param seed of the guest's workload
 */
public record DemoPlan(
        GuestSize maximum, GuestSize target, Backing backing, boolean hasBalloon, long seed) {
    /** Room for the driver's rings and buffers, beside the workload. */
    private static final long RESERVE_BYTES = 1L << 20;

    /** Pages that the guest writes before the balloon moves: three quarters. */
    long pagesToWrite() {
        return maximum.pages() / 4 * 3;
    }

    /** Pages of them that it keeps: a quarter of its memory. */
    long pagesToKeep() {
        return pagesToKeep(maximum);
    }

    private static long pagesToKeep(GuestSize maximum) {
        return maximum.pages() / 4;
    }

    /** Pages in a run that the guest frees together. */
    int freedRunPages() {
        return 64;
    }

    /** The smallest size that a guest of this maximum can be brought to. */
    public static GuestSize floorOf(GuestSize maximum) {
        return new GuestSize((pagesToKeep(maximum) << PageFrame.SHIFT) + RESERVE_BYTES);
    }

    /** The virtual machine for it. */
    VmOptions vmOptions() {
        Optional<BalloonOptions> balloon =
                hasBalloon ? Optional.of(balloonOptions()) : Optional.empty();
        return new VmOptions("demo", maximum, floorOf(maximum), RamOptions.of(backing), balloon);
    }

    // Without reports, so that what leaves the host's memory has gone into the balloon.
    private static BalloonOptions balloonOptions() {
        BalloonOptions all = BalloonOptions.DEFAULT;
        return all.withFeatures(all.features() & ~BalloonFeature.PAGE_REPORTING);
    }
}
