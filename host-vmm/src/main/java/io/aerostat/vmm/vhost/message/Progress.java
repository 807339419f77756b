package io.aerostat.vmm.vhost.message;

/** What came of looking for a message. */
public enum Progress {
    /** No whole message yet. */
    NOTHING,
    /** A message. */
    MESSAGE,
    /** The front-end has closed the connection, between two messages. */
    END
}
