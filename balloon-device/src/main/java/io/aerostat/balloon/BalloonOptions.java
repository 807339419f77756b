package io.aerostat.balloon;

import io.aerostat.virtio.snapshot.SnapshotException;
import io.aerostat.virtio.snapshot.SnapshotReader;
import io.aerostat.virtio.snapshot.SnapshotWriter;
import io.aerostat.virtio.spec.QueueLimits;
import io.aerostat.virtio.spec.balloon.BalloonFeature;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

/**
 * How a balloon device is made.
 *
 * @param features which of the {@link BalloonFeature}s it offers
 * @param numbering how its queues are numbered
 * @param queueSize largest size of its queues in entries, a power of two up to 32768; Linux drivers
 *     need 32 for reporting
 * @param workBudget page numbers that one pass over a queue takes at the most, 1 to 65536: it
 *     bounds how long a guest can hold the owner's thread; if its pages are scattered and the host
 *     takes a call for each, that is as many calls
 * @param pagesPerSecond how fast the target that the guest sees rises, so that it is squeezed
 *     slowly; 0 for at once. Giving memory back is always at once
 * @param oomHoldNs how long the device leaves a guest alone that took pages back for want of memory
 *     (DEFLATE_ON_OOM), in nanoseconds of the owner's clock, 0 and more
 */
public record BalloonOptions(
        long features,
        QueueNumbering numbering,
        int queueSize,
        int workBudget,
        long pagesPerSecond,
        long oomHoldNs) {
    /** Every feature of the traditional balloon. */
    public static final long ALL_FEATURES =
            BalloonFeature.MUST_TELL_HOST
                    | BalloonFeature.STATS_VQ
                    | BalloonFeature.DEFLATE_ON_OOM
                    | BalloonFeature.FREE_PAGE_HINT
                    | BalloonFeature.PAGE_POISON
                    | BalloonFeature.PAGE_REPORTING;

    /**
     * All features but DEFLATE_ON_OOM, which is the guest's leave to undo what the host asked for;
     * the numbering that Linux drivers expect, queues as large as QEMU's, passes of at most 16 MiB,
     * no limit on speed.
     */
    public static final BalloonOptions DEFAULT =
            new BalloonOptions(
                    ALL_FEATURES & ~BalloonFeature.DEFLATE_ON_OOM,
                    QueueNumbering.NEGOTIATED,
                    128,
                    4096,
                    0,
                    10_000_000_000L);

    private static final int MAX_WORK_BUDGET = 1 << 16;

    /** Checks the ranges. */
    public BalloonOptions {
        QueueLimits.requireValidSize(queueSize);
        if ((features & ~ALL_FEATURES) != 0) {
            throw new IllegalArgumentException(
                    "not features of the balloon: features=0x" + Long.toHexString(features));
        }
        if (workBudget < 1 || workBudget > MAX_WORK_BUDGET) {
            throw new IllegalArgumentException(
                    "work budget must be 1 to "
                            + MAX_WORK_BUDGET
                            + " page numbers: workBudget="
                            + workBudget);
        }
        if (pagesPerSecond < 0 || oomHoldNs < 0) {
            throw new IllegalArgumentException(
                    "rate and hold must not be negative: pagesPerSecond="
                            + pagesPerSecond
                            + ", oomHoldNs="
                            + oomHoldNs);
        }
    }

    /** Writes what a driver knows of these options besides the features. */
    void save(SnapshotWriter out) {
        out.writeByte(numbering.ordinal());
        out.writeInt(queueSize);
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @throws SnapshotException if a driver would take a device of these options for another one:
     *     under another numbering it would even send reports where hints are read
     */
    void require(SnapshotReader in) throws SnapshotException {
        same("queueNumbering", in.readByte("queueNumbering"), numbering.ordinal());
        same("queueSizeMax", in.readInt("queueSizeMax"), queueSize);
    }

    private static void same(String field, int saved, int here) throws SnapshotException {
        if (saved != here) {
            throw SnapshotException.otherMachine(field, saved, here);
        }
    }

    /** These options with other features. */
    public BalloonOptions withFeatures(long features) {
        return new BalloonOptions(
                features, numbering, queueSize, workBudget, pagesPerSecond, oomHoldNs);
    }

    /** These options with another numbering. */
    public BalloonOptions withNumbering(QueueNumbering numbering) {
        return new BalloonOptions(
                features, numbering, queueSize, workBudget, pagesPerSecond, oomHoldNs);
    }

    /** These options with another queue size. */
    public BalloonOptions withQueueSize(int queueSize) {
        return new BalloonOptions(
                features, numbering, queueSize, workBudget, pagesPerSecond, oomHoldNs);
    }

    /** These options with another work budget. */
    public BalloonOptions withWorkBudget(int workBudget) {
        return new BalloonOptions(
                features, numbering, queueSize, workBudget, pagesPerSecond, oomHoldNs);
    }

    /** These options with another limit on the speed of inflating. */
    public BalloonOptions withPagesPerSecond(long pagesPerSecond) {
        return new BalloonOptions(
                features, numbering, queueSize, workBudget, pagesPerSecond, oomHoldNs);
    }

    /** These options with another time to leave a guest in need alone. */
    public BalloonOptions withOomHoldNs(long oomHoldNs) {
        return new BalloonOptions(
                features, numbering, queueSize, workBudget, pagesPerSecond, oomHoldNs);
    }
}
