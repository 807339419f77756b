package io.aerostat.vmm.monitor.message;

/**
 * A command's error: its class, and a description for people, which is the message. A server throws
 * it to answer with it; a client throws it when it was answered so.
 */
public final class QmpError extends Exception {
    private static final long serialVersionUID = 1L;

    private final QmpErrorClass errorClass;

    /** An error of a class. */
    public QmpError(QmpErrorClass errorClass, String description) {
        // A client's mistake is no news of ours: no stack trace.
        super(description, null, false, false);
        this.errorClass = errorClass;
    }

    /** An error of the class GENERIC_ERROR. */
    public QmpError(String description) {
        this(QmpErrorClass.GENERIC_ERROR, description);
    }

    /** Its class. */
    public QmpErrorClass errorClass() {
        return errorClass;
    }

    /** For people. */
    public String description() {
        return String.valueOf(getMessage());
    }
}
