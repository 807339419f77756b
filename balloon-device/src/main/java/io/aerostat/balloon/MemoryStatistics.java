package io.aerostat.balloon;

import io.aerostat.balloon.handler.StatsQueueHandler;
import io.aerostat.balloon.stats.GuestStatistics;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * The host's side of memory statistics: what the guest said last, and how to ask anew. Any thread.
 */
public final class MemoryStatistics {
    private final StatsQueueHandler handler;
    private final Consumer<Runnable> owner;

    MemoryStatistics(StatsQueueHandler handler, Consumer<Runnable> owner) {
        this.handler = handler;
        this.owner = owner;
    }

    /**
     * What the guest said last; empty if it has said nothing since its driver came up, as one
     * without the feature never does.
     */
    public Optional<GuestStatistics> latest() {
        return Optional.ofNullable(handler.latest());
    }

    /** Asks for new figures. Returns at once: {@link #latest} changes when the guest answers. */
    public void request() {
        owner.accept(handler::ask);
    }

    /**
     * Asks every so often, at once for the first time, and then when so much time has passed since
     * the guest's last answer. May be changed at any time.
     *
     * @param periodNs nanoseconds; 0 to ask only on request
     */
    public void period(long periodNs) {
        if (periodNs < 0) {
            throw new IllegalArgumentException("a period is not negative: periodNs=" + periodNs);
        }
        owner.accept(() -> handler.period(periodNs));
    }
}
