package io.aerostat.vmm.monitor;

import java.time.Duration;
import java.time.Instant;

/** The monitor's time: the event loop's, or one that a test steps. */
interface EventTimer {
    /** What the events' timestamps say. */
    Instant now();

    /** Has {@code action} run on the event loop after a while. */
    void after(Duration delay, Runnable action);
}
