package io.aerostat.virtio.device;

import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.Feature;

/** What a driver has accepted of a device's offer, 32 bits at a time (VIRTIO 1.4, 2.2). */
final class FeatureNegotiation {
    private static final long LOW_WORD = 0xFFFF_FFFFL;

    private final VirtioDevice device;
    private long accepted;

    /** Bits of words in which nothing is offered. */
    private long unoffered;

    FeatureNegotiation(VirtioDevice device) {
        this.device = device;
    }

    long accepted() {
        return accepted;
    }

    void accept(int word, int bits) {
        switch (word) {
            case 0 -> accepted = withLow(accepted, bits);
            case 1 -> accepted = withHigh(accepted, bits);
            case 2 -> unoffered = withLow(unoffered, bits);
            case 3 -> unoffered = withHigh(unoffered, bits);
            // There are no features this far out: whoever accepts one is not to be trusted until
            // the next reset.
            default -> unoffered |= bits & LOW_WORD;
        }
    }

    /** Tells whether FEATURES_OK may stay on. */
    boolean isAcceptable() {
        return unoffered == 0
                && Feature.isValidSubset(accepted, device.offeredFeatures())
                && device.accepts(accepted);
    }

    void reset() {
        accepted = 0;
        unoffered = 0;
    }

    void save(SnapshotWriter out) {
        out.writeLong(accepted);
        out.writeLong(unoffered);
    }

    /** A negotiation of the same device where the saved one stood. */
    static FeatureNegotiation restored(VirtioDevice device, SnapshotReader in)
            throws SnapshotException {
        FeatureNegotiation negotiation = new FeatureNegotiation(device);
        negotiation.accepted = in.readLong("accepted");
        negotiation.unoffered = in.readLong("unoffered");
        return negotiation;
    }

    void become(FeatureNegotiation other) {
        accepted = other.accepted;
        unoffered = other.unoffered;
    }

    private static long withLow(long features, int word) {
        return (features & ~LOW_WORD) | (word & LOW_WORD);
    }

    private static long withHigh(long features, int word) {
        return (features & LOW_WORD) | ((long) word << Integer.SIZE);
    }
}
