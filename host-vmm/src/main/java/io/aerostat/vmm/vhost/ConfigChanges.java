package io.aerostat.vmm.vhost;

import io.aerostat.vmm.vhost.message.BackEndChannel;

import org.jspecify.annotations.Nullable;

/**
 * Whether and when a front-end hears that the configuration has changed.
 *
 * <p>It is told only while no ring was stopped since one was started: QEMU 11.1 dies of a change
 * that comes before or after, and a driver looks by itself when it starts. A guest that only stood
 * still does not look: it is told when its first ring goes on.
 */
final class ConfigChanges implements AutoCloseable {
    private @Nullable BackEndChannel channel;
    private boolean hears;

    /** There was a change that it did not hear of. */
    private boolean isUntold;

    /** Takes over the way to the front-end; the last one is closed. */
    void channel(BackEndChannel next) {
        close();
        channel = next;
    }

    /** A ring was started. */
    void ringStarted() {
        hears = true;
        if (isUntold) {
            changed();
        }
    }

    /** The front-end has stopped a ring. */
    void ringStopped() {
        hears = false;
    }

    /** The configuration has changed. */
    void changed() {
        isUntold = !hears || channel == null;
        if (hears && channel != null) {
            channel.configChanged();
        }
    }

    @Override
    public void close() {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }
}
