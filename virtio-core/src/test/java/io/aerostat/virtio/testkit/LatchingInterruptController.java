package io.aerostat.virtio.testkit;

import io.aerostat.virtio.transport.mmio.InterruptLine;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An interrupt controller that latches: it notes a call with a high level and forgets it when the
 * processor claims it, whether or not the line is still high. Worse for a device than a controller
 * that looks at levels: what it is not told again, it does not know.
 */
public final class LatchingInterruptController implements InterruptLine {
    private final AtomicBoolean latched = new AtomicBoolean();
    private volatile boolean level;

    @Override
    public void set(boolean level) {
        this.level = level;
        if (level) {
            latched.set(true);
        }
    }

    /** The line as it is. */
    public boolean level() {
        return level;
    }

    /** Takes the latched interrupt, if there is one. */
    public boolean claim() {
        return latched.getAndSet(false);
    }
}
