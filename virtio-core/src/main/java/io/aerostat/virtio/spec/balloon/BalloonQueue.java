package io.aerostat.virtio.spec.balloon;

/** The balloon's virtqueues in the order of their specified numbers (VIRTIO 1.4, 5.5.2). */
public enum BalloonQueue {
    /** Page numbers that go into the balloon. */
    INFLATE(0),
    /** Page numbers that come back out of it. */
    DEFLATE(0),
    /** Memory statistics. */
    STATS(BalloonFeature.STATS_VQ),
    /** Hints about free pages. */
    FREE_PAGE_HINT(BalloonFeature.FREE_PAGE_HINT),
    /** Reports of free pages. */
    REPORTING(BalloonFeature.PAGE_REPORTING);

    private final long feature;

    BalloonQueue(long feature) {
        this.feature = feature;
    }

    /** Tells whether the queue exists under a set of features. */
    public boolean existsWith(long features) {
        return feature == 0 || (features & feature) != 0;
    }
}
