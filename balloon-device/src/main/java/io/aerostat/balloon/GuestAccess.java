package io.aerostat.balloon;

/** What the device finds about a guest's access to a page of its RAM. */
public enum GuestAccess {
    /** The page is not in the balloon: nothing to say. */
    FREE_TO_USE,
    /**
     * The page's deflate request was sent and not yet confirmed. A driver that did not take
     * MUST_TELL_HOST may use it then (VIRTIO 1.4, 5.5.6.1).
     */
    DEFLATE_SENT,
    /** The page is in the balloon: the guest breaks its word, and the host's memory grows again. */
    BALLOONED,
    /** Too many accesses wait to be judged; this one is not. */
    UNDECIDED
}
