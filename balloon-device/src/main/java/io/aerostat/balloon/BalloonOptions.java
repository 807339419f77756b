package io.aerostat.balloon;

import io.aerostat.virtio.spec.QueueLimits;
import io.aerostat.virtio.spec.balloon.QueueNumbering;

/**
 * How a balloon device is made.
 *
 * @param numbering how its queues are numbered
 * @param queueSize largest size of its queues in entries, a power of two up to 32768
 * @param workBudget page numbers that one pass over a queue takes at the most, 1 to 65536: it
 *     bounds how long a guest can hold the owner's thread; if its pages are scattered and the host
 *     takes a call for each, that is as many calls
 */
public record BalloonOptions(QueueNumbering numbering, int queueSize, int workBudget) {
    /** What Linux drivers expect, queues as large as QEMU's, and passes of at most 16 MiB. */
    public static final BalloonOptions DEFAULT =
            new BalloonOptions(QueueNumbering.NEGOTIATED, 128, 4096);

    private static final int MAX_WORK_BUDGET = 1 << 16;

    /** Checks the ranges. */
    public BalloonOptions {
        QueueLimits.requireValidSize(queueSize);
        if (workBudget < 1 || workBudget > MAX_WORK_BUDGET) {
            throw new IllegalArgumentException(
                    "work budget must be 1 to "
                            + MAX_WORK_BUDGET
                            + " page numbers: workBudget="
                            + workBudget);
        }
    }

    /** These options with another numbering. */
    public BalloonOptions withNumbering(QueueNumbering numbering) {
        return new BalloonOptions(numbering, queueSize, workBudget);
    }

    /** These options with another queue size. */
    public BalloonOptions withQueueSize(int queueSize) {
        return new BalloonOptions(numbering, queueSize, workBudget);
    }

    /** These options with another work budget. */
    public BalloonOptions withWorkBudget(int workBudget) {
        return new BalloonOptions(numbering, queueSize, workBudget);
    }
}
