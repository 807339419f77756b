package io.aerostat.vmm.monitor.message;

/** The classes of QMP's errors. All but the first are there because clients tell them apart. */
public enum QmpErrorClass {
    /** Any error that no other class fits. */
    GENERIC_ERROR("GenericError"),
    /** There is no such command, or not in this mode. */
    COMMAND_NOT_FOUND("CommandNotFound"),
    /** A device is not in use. */
    DEVICE_NOT_ACTIVE("DeviceNotActive"),
    /** There is no such device or object. */
    DEVICE_NOT_FOUND("DeviceNotFound"),
    /** The host's KVM lacks something. */
    KVM_MISSING_CAP("KVMMissingCap");

    private final String wireName;

    QmpErrorClass(String wireName) {
        this.wireName = wireName;
    }

    /** Its name in a message. */
    public String wireName() {
        return wireName;
    }

    /** The class with this name; GENERIC_ERROR for one that is not known, as the protocol asks. */
    public static QmpErrorClass ofName(String wireName) {
        for (QmpErrorClass known : values()) {
            if (known.wireName.equals(wireName)) {
                return known;
            }
        }
        return GENERIC_ERROR;
    }
}
