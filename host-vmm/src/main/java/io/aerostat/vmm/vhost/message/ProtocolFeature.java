package io.aerostat.vmm.vhost.message;

/**
 * Protocol features, what both sides can say beyond the oldest messages, as masks: GET and
 * SET_PROTOCOL_FEATURES.
 */
public final class ProtocolFeature {
    /**
     * Not a protocol feature, but the bit of GET and SET_FEATURES that says there are protocol
     * features. A front-end that leaves it out of SET_FEATURES never sends SET_VRING_ENABLE: then
     * rings are enabled by their kick descriptor.
     */
    public static final long PRESENT = 1L << 30;

    /** GET_QUEUE_NUM. */
    public static final long MQ = 1L;

    /** Acknowledgements of requests that have no reply of their own. */
    public static final long REPLY_ACK = 1L << 3;

    /** A channel for requests of the back-end: SET_BACKEND_REQ_FD. */
    public static final long BACKEND_REQ = 1L << 5;

    /** GET_CONFIG and SET_CONFIG. */
    public static final long CONFIG = 1L << 9;

    private ProtocolFeature() {}
}
