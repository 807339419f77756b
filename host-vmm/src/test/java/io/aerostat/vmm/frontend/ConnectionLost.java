package io.aerostat.vmm.frontend;

/** The back-end has closed the connection. */
public final class ConnectionLost extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ConnectionLost(String what) {
        super(what);
    }
}
