package io.aerostat.vmm.monitor;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * When BALLOON_CHANGE is sent: for each new size, but at most once a second. What comes meanwhile
 * is kept back, and of it the last is sent when the second is over, so that a client that listens
 * always ends up with the truth. Used on the event loop alone.
 */
final class BalloonChangeEvents {
    static final Duration REST = Duration.ofSeconds(1);

    private final EventTimer timer;
    private final Supplier<OptionalLong> actual;
    private final LongConsumer send;
    private OptionalLong lastSent = OptionalLong.empty();
    private boolean resting;
    private boolean changedMeanwhile;

    /**
     * No event so far.
     *
     * @param actual the guest's size in bytes, or empty if it has none yet
     * @param send sends the event to whoever listens
     */
    BalloonChangeEvents(EventTimer timer, Supplier<OptionalLong> actual, LongConsumer send) {
        this.timer = timer;
        this.actual = actual;
        this.send = send;
    }

    /** The balloon may have changed. */
    void changed() {
        if (resting) {
            changedMeanwhile = true;
            return;
        }
        OptionalLong size = actual.get();
        if (size.isEmpty() || size.equals(lastSent)) {
            return;
        }
        lastSent = size;
        resting = true;
        timer.after(REST, this::rested);
        send.accept(size.getAsLong());
    }

    private void rested() {
        resting = false;
        if (changedMeanwhile) {
            changedMeanwhile = false;
            changed();
        }
    }
}
