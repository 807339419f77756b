package io.aerostat.vmm.vhost.message;

/**
 * The front-end said what it may not say, or does not listen: its connection can only be closed.
 * The message is one line, {@code what: name=value, name=value}, for the log.
 */
public final class ProtocolViolation extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * A violation.
     *
     * @param message what was wrong, with the values that were
     */
    public ProtocolViolation(String message) {
        super(message);
    }

    /** Of the connection itself: it broke before all was said. */
    ProtocolViolation(String message, Throwable cause) {
        super(message, cause);
    }
}
