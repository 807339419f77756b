package io.aerostat.vmm.vhost;

import io.aerostat.virtio.queue.QueueAddresses;
import io.aerostat.virtio.spec.AvailableRingLayout;
import io.aerostat.virtio.spec.DescriptorLayout;
import io.aerostat.virtio.spec.UsedRingLayout;
import io.aerostat.vmm.os.Descriptor;
import io.aerostat.vmm.vhost.message.FrontEndMessage.SetVringAddr;
import io.aerostat.vmm.vhost.message.ProtocolViolation;

import org.jspecify.annotations.Nullable;

/**
 * What a front-end has said about one ring, and whether it runs.
 *
 * <pre>
 *   size, place, base, kick   all told ─▶ set up ─┬─▶ enabled, or enabled by its kick ─▶ runs
 *                                                 └─▶ broken by its guest: runs no more until told anew
 * </pre>
 *
 * <p>Owns its descriptors.
 */
final class Vring implements AutoCloseable {
    /** In {@link #pollSlot}: nobody waits for its kicks. */
    static final int NO_SLOT = -1;

    private final int index;

    private int size;
    private @Nullable SetVringAddr place;
    private @Nullable Descriptor kick;
    private @Nullable Descriptor call;
    private @Nullable Descriptor error;

    /** Where it starts: an available index, 0 to 65535. */
    int base;

    /** By SET_VRING_ENABLE. */
    boolean enabled;

    /** The device serves it. */
    boolean runs;

    /** It ran, and its memory is not touched until the guest kicks it. */
    boolean rests;

    /** Its guest broke it. */
    boolean broken;

    /** Where the thread waits for its kicks. */
    int pollSlot = NO_SLOT;

    Vring(int index) {
        this.index = index;
    }

    int index() {
        return index;
    }

    void size(int entries) {
        size = entries;
    }

    void place(SetVringAddr addresses) {
        place = addresses;
    }

    @Nullable Descriptor kick() {
        return kick;
    }

    /** Takes the descriptor over; the last one is closed. */
    void kick(@Nullable Descriptor descriptor) {
        replace(kick);
        kick = descriptor;
    }

    @Nullable Descriptor call() {
        return call;
    }

    /** Takes the descriptor over; the last one is closed. */
    void call(@Nullable Descriptor descriptor) {
        replace(call);
        call = descriptor;
    }

    @Nullable Descriptor error() {
        return error;
    }

    /** Takes the descriptor over; the last one is closed. */
    void error(@Nullable Descriptor descriptor) {
        replace(error);
        error = descriptor;
    }

    private static void replace(@Nullable Descriptor last) {
        if (last != null) {
            last.close();
        }
    }

    /** Tells whether all has been said that it needs to run. */
    boolean isSetUp() {
        return size > 0 && place != null && kick != null && !broken;
    }

    /**
     * Where its parts are for the guest.
     *
     * @throws ProtocolViolation if the front-end put one outside of the RAM that it offers
     * @throws IllegalStateException if size or place were not told yet
     */
    QueueAddresses addressesIn(FrontEndMemory ram) throws ProtocolViolation {
        SetVringAddr told = place;
        if (told == null || size == 0) {
            throw new IllegalStateException("ring is not set up: index=" + index);
        }
        return new QueueAddresses(
                size,
                inRam(ram, "descriptor", told.descriptor(), DescriptorLayout.offset(size)),
                inRam(ram, "available", told.available(), AvailableRingLayout.length(size)),
                inRam(ram, "used", told.used(), UsedRingLayout.length(size)));
    }

    private long inRam(FrontEndMemory ram, String part, long userAddress, long length)
            throws ProtocolViolation {
        long gpa = ram.guestAddress(userAddress, length);
        if (gpa == FrontEndMemory.NOWHERE) {
            throw new ProtocolViolation(
                    "ring part is outside of the memory table: index="
                            + (index + ", " + part + "=0x" + Long.toHexString(userAddress))
                            + (", length=" + length));
        }
        return gpa;
    }

    /** Tells whether size and place are known, so that {@link #addressesIn} can be asked. */
    boolean isPlaced() {
        return size > 0 && place != null;
    }

    @Override
    public void close() {
        kick(null);
        call(null);
        error(null);
    }
}
