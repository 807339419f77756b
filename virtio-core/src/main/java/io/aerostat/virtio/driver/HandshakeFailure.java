package io.aerostat.virtio.driver;

/** Why a device could not be brought up. */
public enum HandshakeFailure {
    /** What is there is no virtio device. */
    NOT_VIRTIO("no virtio device: the magic value is wrong"),
    /** The device speaks another version of the transport. */
    VERSION_UNKNOWN("the device is not of the modern transport version"),
    /** The slot is empty, which is no error (VIRTIO 1.4, 4.2.2.2). */
    NO_DEVICE("the slot has no device"),
    /** The device is of another type. */
    OTHER_DEVICE("the device is of another type"),
    /** The device was told to reset and does not come to an end. */
    RESET_UNFINISHED("the device does not finish its reset"),
    /** A feature that the driver cannot do without is not offered. */
    FEATURE_MISSING("a required feature is not offered"),
    /** The device does not work with the features that the driver took. */
    FEATURES_REFUSED("the device refused the features"),
    /** A queue that the driver needs does not exist. */
    QUEUE_MISSING("a required queue does not exist"),
    /** A queue is enabled before the driver has done so. */
    QUEUE_IN_USE("a queue is in use already"),
    /** The driver has no memory for its queues. */
    NO_MEMORY("no memory for the queues"),
    /** The device asked for a reset while it was brought up. */
    NEEDS_RESET("the device needs a reset");

    private final String description;

    HandshakeFailure(String description) {
        this.description = description;
    }

    /** What happened, for a message. */
    public String description() {
        return description;
    }
}
