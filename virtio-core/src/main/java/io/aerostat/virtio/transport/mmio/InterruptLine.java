package io.aerostat.virtio.transport.mmio;

/**
 * The device's interrupt line, given by whoever embeds it.
 *
 * <p>Idempotent: called on every change of the causes while high, not only on edges, so that a
 * controller which latches edges does not lose a second cause. Called by the register thread or the
 * device's owner, never by both at once; must not block.
 */
@FunctionalInterface
public interface InterruptLine {
    /** Drives the line: high while any cause is pending. */
    void set(boolean level);
}
