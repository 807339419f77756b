package io.aerostat.virtio.snapshot;

import java.io.IOException;

/**
 * A snapshot cannot be restored here: it is damaged, of a newer version, or of another machine. The
 * message says which, as {@code what: name=value}. What was to be restored is unchanged.
 */
public final class SnapshotException extends IOException {
    private static final long serialVersionUID = 1;

    /**
     * @param message what is wrong, as {@code what: name=value, name=value}
     */
    public SnapshotException(String message) {
        super(message);
    }

    /** A field has a value that no device ever saves. */
    public static SnapshotException impossible(String field, long value) {
        return new SnapshotException("snapshot has an impossible value: " + field + "=" + value);
    }

    /** The snapshot was taken on a machine that differs in what must be the same. */
    public static SnapshotException otherMachine(String field, long saved, long here) {
        return new SnapshotException(
                "snapshot is of another machine: "
                        + field
                        + "=0x"
                        + Long.toHexString(saved)
                        + ", here=0x"
                        + Long.toHexString(here));
    }
}
